import { expect, test } from 'vitest';
import { parseCall, type CallSpec } from './call-spec.ts';

const text: Omit<CallSpec, 'name'> = { format: 'text', ignoreStatus: false };

const good: [text: string, expected: ReturnType<typeof parseCall>][] = [
  ['', undefined],
  ['build', undefined],
  ['build,format=json', undefined],
  ['check', { name: 'check', ...text }],
  ['lint', { name: 'check', ...text }],
  ['check,format=json,ignorestatus', { name: 'check', format: 'json', ignoreStatus: true }],
  ['check,ignorestatus=0', { name: 'check', ...text }],
  ['outline,format=text', { name: 'outline', ...text }],
  ['targets', { name: 'targets', ...text }],
  ['describe', { name: 'subrequests.describe', ...text }],
];

test.each(good)('--call=%s', (written, expected) => {
  expect(parseCall(written)).toEqual(expected);
});

test.each([
  ['chekc', 'Unknown --call "chekc"'],
  ['convertllb', 'Unknown --call "convertllb"'],
  ['check,format=xml', 'Invalid field of --call "format=xml"'],
  ['check,ignorestatus=perhaps', 'Invalid field of --call "ignorestatus=perhaps"'],
  ['check,targets', 'Invalid field of --call "targets"'],
])('--call=%s is refused', (written, says) => {
  expect(() => parseCall(written)).toThrow(says);
});
