import { expect, test } from 'vitest';
import { fileNameOf } from './fetch-url.ts';

test.each([
  ['https://host.example/a%20b?c#d', 'a b'],
  ['https://100%:%zz@host.example/a', 'a'],
  ['https://host.example/100%', '100%'],
  ['https://host.example/', 'download'],
])('the file name of %s is %s', (url, name) => {
  expect(fileNameOf(url)).toBe(name);
});
