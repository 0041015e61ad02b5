import { expect, test } from 'vitest';
import { hostsFile, resolvConf } from '../index.ts';

test('hosts', () => {
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
    'another network does not reach them',
    conf,
    false,
    'search lan\noptions edns0\nnameserver 8.8.8.8\nnameserver 8.8.4.4\n',
  ],
  ['others stay', 'nameserver 10.0.0.53\nnameserver 127.0.0.1\n', false, 'nameserver 10.0.0.53\n'],
  ['an empty file', '', true, 'nameserver 8.8.8.8\nnameserver 8.8.4.4\n'],
];

test.each(cases)('resolv.conf: %s', (_, host, sharesNetwork, expected) => {
  expect(resolvConf(host, { sharesNetwork })).toBe(expected);
});
