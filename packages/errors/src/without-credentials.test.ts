import { expect, test } from 'vitest';
import { withoutCredentials } from './without-credentials.ts';

test.each([
  ['ADD https://user:pw@host/x /', 'ADD https://host/x /'],
  ['https://token@host', 'https://host'],
  ['https://user:p@ss@host:8443/a@b', 'https://host:8443/a@b'],
  ['"http://a:b@h/" git+ssh://c:d@h', '"http://h/" git+ssh://h'],
  ['https://host/a?mail=me@host', 'https://host/a?mail=me@host'],
  ['https://host?me@host#me@host', 'https://host?me@host#me@host'],
  ['git@host:owner/name', 'git@host:owner/name'],
  ['https://host and me@host', 'https://host and me@host'],
])('%j is shown as %j', (text, shown) => {
  expect(withoutCredentials(text)).toBe(shown);
});
