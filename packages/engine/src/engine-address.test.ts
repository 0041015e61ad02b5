import { hasCode } from '@tbuild/errors';
import { expect, test } from 'vitest';
import { connectionOf } from './engine-address.ts';

test.each([
  ['/run/docker.sock', { kind: 'socket', path: '/run/docker.sock' }],
  ['unix:///run/docker.sock', { kind: 'socket', path: '/run/docker.sock' }],
  ['tcp://host:2375', { kind: 'tcp', origin: 'http://host:2375', tls: undefined }],
  ['https://host', { kind: 'tcp', origin: 'https://host', tls: { verify: true } }],
])('the engine of %s is %o', (host, connection) => {
  expect(connectionOf({ host })).toEqual(connection);
});

test.each([
  ['ssh://host', ['-o', 'ConnectTimeout=30', '-T', '--', 'host', 'docker system dial-stdio']],
  [
    'ssh://me@[::1]:2222',
    ['-l', 'me', '-p', '2222', '-o', 'ConnectTimeout=30', '-T', '--', '::1', 'docker system dial-stdio'],
  ],
  [
    'ssh://a%40b@host/run/my%20docker.sock',
    [
      '-l',
      'a@b',
      '-o',
      'ConnectTimeout=30',
      '-T',
      '--',
      'host',
      "docker --host 'unix:///run/my docker.sock' system dial-stdio",
    ],
  ],
  [
    'ssh://100%@host/100%zz',
    ['-l', '100%', '-o', 'ConnectTimeout=30', '-T', '--', 'host', "docker --host 'unix:///100%zz' system dial-stdio"],
  ],
])('the engine of %s is behind ssh', (host, args) => {
  expect(connectionOf({ host })).toEqual({ kind: 'ssh', args: ['ssh', ...args] });
});

test.each(['ftp://host', 'ssh://', 'ssh://-oProxyCommand=x'])('%s is no address of an engine', (host) => {
  expect(() => connectionOf({ host })).toThrow(expect.toSatisfy((error) => hasCode(error, 'UNSUPPORTED')));
});
