import { expect, test } from 'vitest';
import { detectSyntax } from './directives.ts';

test.each([
  ['# syntax=a/b:1\nFROM x', 'a/b:1'],
  ['#syntax = a/b:1 with words \r\nFROM x', 'a/b:1'],
  ['\ufeff# escape=`\n# syntax=a\n', 'a'],
  ['#!/usr/bin/env x\n# syntax=a\n', 'a'],
  ['// syntax=a\n// whatever', 'a'],
  ['{ "syntax": "a b", "other": 1 }', 'a b'],
  ['{ "syntax": 1 }', undefined],
  ['{ broken', undefined],
  ['\n# syntax=a\n', undefined],
  [' # syntax=a\n', undefined],
  [' # escape=`\n# syntax=a\n', undefined],
  ['# note\n# syntax=a\n', undefined],
  ['# syntax=\n', undefined],
  ['// note\n// syntax=a\n', undefined],
  ['FROM x\n', undefined],
])('the frontend image of %j is %j', (text, expected) => {
  expect(detectSyntax(text)?.text).toBe(expected);
});
