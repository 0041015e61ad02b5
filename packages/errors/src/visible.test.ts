import { expect, test } from 'vitest';
import { visible, visibleLine } from './visible.ts';

test.each([
  ['plain text, 例え 🙂', 'plain text, 例え 🙂'],
  ['a\tb\nc', 'a\tb\nc'],
  ['\x1b[31mred\x1b]0;title\x07', '�[31mred�]0;title�'],
  ['\x9b31m', '�31m'],
  ['10%\r::error::', '10%�::error::'],
  ['\u202etxt.exe\u2066\u200f', '�txt.exe��'],
  ['a\u2028b\x85c\x7f', 'a�b�c�'],
  ['👩‍👩‍👧', '👩‍👩‍👧'],
])('%j is shown as %j', (text, shown) => {
  expect(visible(text)).toBe(shown);
});

test('a line has no line feeds', () => {
  expect(visibleLine('RUN a\n\x1b[2J')).toBe('RUN a �[2J');
});
