import { expect, test } from 'vitest';
import { sourceFrame } from './source-frame.ts';

const text = 'one\ntwo\r\n\tthree\nfour\nfive\n';

function at(line: number, column: number, endLine: number, endColumn: number) {
  return { file: 'Dockerfile', start: { line, column }, end: { line: endLine, column: endColumn } };
}

test('a frame shows two lines around one, and underlines its word behind the same tabs', () => {
  expect(sourceFrame(text, at(3, 2, 3, 7), { token: at(3, 2, 3, 4) })).toBe(`--------------------
   1 |     one
   2 |     two
   3 | >>> \tthree
     |     \t^^
   4 |     four
   5 |     five
--------------------
`);
});

test('a frame shows one line around several, and does not mark a line at whose start the place ends', () => {
  expect(sourceFrame(text, at(2, 1, 3, 7))).toBe(`--------------------
   1 |     one
   2 | >>> two
   3 | >>> \tthree
   4 |     four
--------------------
`);
  expect(sourceFrame(text, at(2, 1, 3, 1))).toContain('   2 | >>> two\n   3 |     ');
});

test('a place behind the end of its line is underlined one column wide', () => {
  expect(sourceFrame('ab', at(1, 3, 1, 9), { token: at(1, 3, 1, 9) })).toContain(`     |       ^\n`);
});

test('a line of hundreds of kilobytes is cut, and so is its underline', () => {
  const frame = sourceFrame(`ADD ${'x'.repeat(500_000)}\n`, at(1, 1, 1, 500_005), { token: at(1, 5, 1, 500_005) });
  expect(frame).toContain(`   1 | >>> ADD ${'x'.repeat(795)}…\n     |         ^^^`);
  expect(frame.length).toBeLessThan(2000);
});

test('on a terminal, lines are cut to its width, around the word that is underlined', () => {
  const line = `RUN ${'a'.repeat(30)} word ${'b'.repeat(30)}`;
  const rows = (frame: string): readonly string[] => frame.split('\n').slice(1, 3);
  expect(rows(sourceFrame(line, at(1, 1, 1, 71), { token: at(1, 1, 1, 71), columns: 40 }))).toEqual([
    `   1 | >>> RUN ${'a'.repeat(24)}…`,
    `     |     ${'^'.repeat(29)}`,
  ]);
  expect(rows(sourceFrame(line, at(1, 1, 1, 71), { token: at(1, 36, 1, 40), columns: 40 }))).toEqual([
    `   1 | >>> …${'a'.repeat(8)} word ${'b'.repeat(13)}…`,
    `     |     ${' '.repeat(10)}^^^^`,
  ]);
  expect(sourceFrame(line, at(1, 1, 1, 71), { token: at(1, 36, 1, 40), columns: 82 })).toContain(`>>> ${line}\n`);
  expect(sourceFrame(`\t${line}`, at(1, 1, 1, 72), { columns: 80 })).toContain(`>>> \t${line.slice(0, 60)}…\n`);
});

test('characters that change the terminal are shown in their columns', () => {
  const text = 'FROM a\r\nRUN \x1b[2J\rx \x9b1m\t\u202ey\n';
  const range = { file: 'Dockerfile', start: { line: 2, column: 1 }, end: { line: 2, column: 20 } };
  expect(sourceFrame(text, range)).toContain(' | >>> RUN �[2J�x �1m\t�y\n');
});
