import { expect, test } from 'vitest';
import { linesOf, plain } from './log-lines.ts';

const textsOf = (...log: readonly (readonly [number, string])[]) => linesOf(log).map(({ at, text }) => [at, text]);

test.each([
  [
    'lines that come in pieces',
    [
      [1, 'a'],
      [2, 'b\nc'],
      [3, 'd'],
    ],
    [
      [1, 'ab'],
      [2, 'cd'],
    ],
  ],
  [
    'empty lines',
    [[1, '\n\nx\n']],
    [
      [1, ''],
      [1, ''],
      [1, 'x'],
    ],
  ],
  ['carriage returns, of which the last counts', [[1, ' 10%\r 50%\r100%\r\n']], [[1, '100%']]],
] as const)('output is split into lines: %s', (_, log, lines) => {
  expect(textsOf(...log)).toEqual(lines);
});

test('text is searched without the sequences that colour it', () => {
  expect(plain('\u001b[1;31mred\u001b[0m \u001b[Kend')).toBe('red end');
});
