import { fromBytes } from '@tbuild/content';
import { expect, test } from 'vitest';
import type { HttpRequest } from './http-message.ts';
import { refusal } from './registry-error.ts';

const subject = { repository: 'reg.example/app', item: 'image reg.example/app:1' };
const url = new URL('https://reg.example/v2/app/manifests/1?secret=x');

async function said(request: Pick<HttpRequest, 'method' | 'access'>, status: number, body: string) {
  const response = { status, url, headers: {}, body: fromBytes(Buffer.from(body)), discard: async () => {} };
  const { message, hint } = await refusal({ ...request, url, headers: {} }, response, subject);
  return [message, hint];
}
const errors = (code: string, message: string): string => JSON.stringify({ errors: [{ code, message }] });
const [pull, push] = [
  { method: 'GET', access: 'pull' },
  { method: 'POST', access: 'push' },
] as const;

test.each([
  [
    'a registry that wants a user',
    pull,
    401,
    errors('UNAUTHORIZED', 'authentication required'),
    'Pull access denied, repository does not exist or may require authorization (401 UNAUTHORIZED for reg.example/app)',
    /tbuild login reg.example/,
  ],
  [
    'GitLab with two factors',
    push,
    401,
    errors('UNAUTHORIZED', 'HTTP Basic: Access denied. Use a personal access token'),
    'Push access denied, repository does not exist or may require authorization (401 UNAUTHORIZED for reg.example/app): HTTP Basic: Access denied. Use a personal access token',
    /tbuild login/,
  ],
  [
    "Docker Hub's token server",
    pull,
    401,
    '{"details":"incorrect username or password"}',
    'Pull access denied, repository does not exist or may require authorization (401 for reg.example/app): incorrect username or password',
    /tbuild login/,
  ],
  [
    'an OAuth2 server',
    pull,
    400,
    '{"error":"invalid_grant","error_description":"token expired"}',
    'Registry reg.example answered 400 to GET for image reg.example/app:1: token expired',
    undefined,
  ],
  [
    'GHCR',
    push,
    403,
    errors('DENIED', 'permission_denied: write_package'),
    'Push access denied, repository does not exist or may require authorization (403 DENIED for reg.example/app): permission_denied: write_package',
    /with this permission/,
  ],
  [
    'ECR without the repository',
    push,
    404,
    errors('NAME_UNKNOWN', "The repository with name 'app' does not exist"),
    'Repository reg.example/app: not found (404 NAME_UNKNOWN)',
    /create the repository/,
  ],
  [
    'a registry that writes to the terminal',
    pull,
    500,
    errors('A', `no\u001b]0;title\u0007\nERROR: ${'x'.repeat(2000)}`),
    `Registry reg.example answered 500 A to GET for image reg.example/app:1: no ]0;title ERROR: ${'x'.repeat(981)}…`,
    undefined,
  ],
  ['a page for people', pull, 502, '<html>Bad Gateway</html>', /^Registry reg.example answered 502 to GET/, undefined],
])('the error is worded: %s', async (_, request, status, body, message, hint) => {
  const [text, advice] = await said(request, status, body);
  expect(text).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  expect(text).not.toContain('secret');
  expect(advice).toEqual(hint === undefined ? undefined : expect.stringMatching(hint));
});
