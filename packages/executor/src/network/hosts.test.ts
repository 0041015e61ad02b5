import { expect, test } from 'vitest';
import { hostsFile, resolvConf } from '../index.ts';

test('hostsFile lists localhost, the host name and the extra hosts', () => {
  expect(hostsFile({ hostname: 'buildkitsandbox', extraHosts: [{ host: 'db', ip: '10.0.0.1' }] })).toBe(
    '127.0.0.1\tlocalhost buildkitsandbox\n::1\tlocalhost ip6-localhost ip6-loopback\n10.0.0.1\tdb\n',
  );
});

const conf = '# systemd\nnameserver 127.0.0.53\nnameserver ::1\nsearch lan\noptions edns0\n';
const cases: [name: string, host: string, network: Parameters<typeof resolvConf>[1], expected: string][] = [
  [
    'the host network keeps local resolvers',
    conf,
    'host',
    'nameserver 127.0.0.53\nnameserver ::1\nsearch lan\noptions edns0\n',
  ],
  [
    'an isolated network reaches local resolvers by other addresses',
    `${conf}nameserver 10.0.0.53\nnameserver 127.0.0.1\n`,
    'isolated',
    'nameserver 169.254.1.1\nnameserver fd74:6275:696c:64::53\nsearch lan\noptions edns0\nnameserver 10.0.0.53\n',
  ],
  [
    'no network drops local resolvers',
    conf,
    'none',
    'search lan\noptions edns0\nnameserver 8.8.8.8\nnameserver 8.8.4.4\n',
  ],
  [
    'no network keeps other resolvers',
    'nameserver 10.0.0.53\nnameserver 127.0.0.1\n',
    'none',
    'nameserver 10.0.0.53\n',
  ],
  ['an empty file gets public resolvers', '', 'host', 'nameserver 8.8.8.8\nnameserver 8.8.4.4\n'],
];

test.each(cases)('resolvConf: %s', (_, host, network, expected) => {
  expect(resolvConf(host, network)).toBe(expected);
});
