import { expect, test } from 'vitest';
import { parseChallenges } from './challenge.ts';

test.each([
  ['none', undefined, []],
  ['empty', '', []],
  ['basic', 'Basic realm="basic-realm"', [{ scheme: 'basic', parameters: { realm: 'basic-realm' } }]],
  [
    'Docker Hub',
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull,push"',
    [
      {
        scheme: 'bearer',
        parameters: {
          realm: 'https://auth.docker.io/token',
          service: 'registry.docker.io',
          scope: 'repository:library/nginx:pull,push',
        },
      },
    ],
  ],
  [
    'two in one header',
    'Bearer realm="https://a/b" , error=insufficient_scope, Basic realm="c"',
    [
      { scheme: 'bearer', parameters: { realm: 'https://a/b', error: 'insufficient_scope' } },
      { scheme: 'basic', parameters: { realm: 'c' } },
    ],
  ],
  ['quotes and blanks', 'BEARER Realm = "a \\"b\\", c"', [{ scheme: 'bearer', parameters: { realm: 'a "b", c' } }]],
  [
    'a scheme alone',
    'Negotiate, Basic realm=x',
    [
      { scheme: 'negotiate', parameters: {} },
      { scheme: 'basic', parameters: { realm: 'x' } },
    ],
  ],
])('the challenges are parsed: %s', (_, header, expected) => {
  expect(parseChallenges(header)).toEqual(expected);
});
