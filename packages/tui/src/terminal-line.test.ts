import { expect, test } from 'vitest';
import { terminalLine, withoutColours } from './terminal-line.ts';

const cases: [name: string, raw: string, shown: string][] = [
  ['plain text', 'hello', 'hello'],
  ['a line of DOS', 'hello\r', 'hello'],
  ['a shorter text over a longer one', '100%\r5', '500%'],
  ['a progress bar that erases', '100%\r\x1b[K5%', '5%'],
  ['a spinner', '|\b/\b-\bdone', 'done'],
  ['colours stay and are closed', '\x1b[31mred', '\x1b[31mred\x1b[0m'],
  ['a closed colour is left as it is', '\x1b[31mred\x1b[m text', '\x1b[31mred\x1b[m text'],
  ['cursor movement', 'a\x1b[2Ab\x1b[1;1Hc\x1b[2Jd', 'abcd'],
  ['window titles and other strings', '\x1b]0;title\x07a\x1bP1$r\x1b\\b', 'ab'],
  ['switching to the alternate screen', '\x1b[?1049hx\x1b7\x1b(B', 'x'],
  ['an unterminated sequence', 'x\x1b[12', 'x'],
  ['binary', 'a\x00\x01\x07b\x9b2Jc', 'abc'],
  ['a tab is text', 'a\tb', 'a\tb'],
];

test.each(cases)('%s', (_name, raw, shown) => {
  expect(terminalLine(raw)).toBe(shown);
});

test('withoutColours removes colours only', () => {
  expect(withoutColours('\x1b[1;31mred\x1b[0m')).toBe('red');
});
