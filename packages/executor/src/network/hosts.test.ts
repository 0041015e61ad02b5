import { expect, test } from 'vitest';
import { hostsFile, resolvConf } from '../index.ts';

test('hostsFile lists localhost, the host name and the extra hosts', () => {
  expect(hostsFile({ hostname: 'buildkitsandbox', extraHosts: [{ host: 'db', ip: '10.0.0.1' }] })).toBe(
    '127.0.0.1\tlocalhost buildkitsandbox\n::1\tlocalhost ip6-localhost ip6-loopback\n10.0.0.1\tdb\n',
  );
});

const conf = '# systemd\nnameserver 127.0.0.53\nnameserver ::1\nsearch lan\noptions edns0\n';
const cases: [name: string, host: string, sharesNetwork: boolean, expected: string][] = [
  [
    'the host network keeps local resolvers',
    conf,
    true,
    'nameserver 127.0.0.53\nnameserver ::1\nsearch lan\noptions edns0\n',
  ],
  [
    'another network drops local resolvers',
    conf,
    false,
    'search lan\noptions edns0\nnameserver 8.8.8.8\nnameserver 8.8.4.4\n',
  ],
  [
    'another network keeps other resolvers',
    'nameserver 10.0.0.53\nnameserver 127.0.0.1\n',
    false,
    'nameserver 10.0.0.53\n',
  ],
  ['an empty file gets public resolvers', '', true, 'nameserver 8.8.8.8\nnameserver 8.8.4.4\n'],
];

test.each(cases)('resolvConf: %s', (_, host, sharesNetwork, expected) => {
  expect(resolvConf(host, { sharesNetwork })).toBe(expected);
});
