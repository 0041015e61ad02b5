import { expect, test } from 'vitest';
import { gitError } from './git-error.ts';

test.each([
  ['fatal: git upload-pack: not our ref 1234', 'its server does not have that commit'],
  ['error: RPC failed; HTTP 404 curl 22 The requested URL returned error: 404', 'there is no such repository'],
  ['fetch-pack: unexpected disconnect while reading sideband packet', 'its server broke off the connection'],
])('the reason of a git that ends with "hung up" is the one before it: %j', (line, reason) => {
  const stderr = `${line}\nfatal: the remote end hung up unexpectedly\n`;
  expect(gitError(stderr, '"https://host/x.git"').message).toContain(reason);
});

test.each([
  ['remote: could not resolve host a\u001b]0;title\u0007', 'host a ]0;title  has no address'],
  ['remote: no\u009b2J', 'git says "no 2J"'],
])('what a server says cannot change the terminal: %j', (stderr, reason) => {
  expect(gitError(stderr, '"https://host/x.git"').message).toBe(
    `Failed to fetch remote "https://host/x.git": ${reason}`,
  );
});
