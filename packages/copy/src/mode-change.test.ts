import type { ModeChange } from '@tbuild/graph';
import { expect, test } from 'vitest';
import { compileModeChange } from './mode-change.ts';

const FILE = 0o100000;
const DIRECTORY = 0o040000;

const cases: [change: ModeChange | undefined, mode: number, expected: number][] = [
  [undefined, FILE | 0o4755, 0o4755],
  [0o640, FILE | 0o4755, 0o640],
  [0o4711, FILE | 0o644, 0o4711],
  ['u+x', FILE | 0o644, 0o744],
  ['+x', FILE | 0o644, 0o755],
  ['a+x', FILE | 0o600, 0o711],
  ['go-w', FILE | 0o666, 0o644],
  ['go=', FILE | 0o755, 0o700],
  ['g=u', FILE | 0o640, 0o660],
  ['o=g-w', FILE | 0o670, 0o675],
  ['u=rwX,go=rX', FILE | 0o600, 0o644],
  ['u=rwX,go=rX', FILE | 0o700, 0o755],
  ['u=rwX,go=rX', DIRECTORY | 0o700, 0o755],
  ['-x,+X', FILE | 0o755, 0o755],
  ['u+s', FILE | 0o755, 0o4755],
  ['g+s', FILE | 0o755, 0o2755],
  ['+s', FILE | 0o755, 0o6755],
  ['o+s', FILE | 0o755, 0o755],
  ['+t', DIRECTORY | 0o755, 0o1755],
  ['o+t', DIRECTORY | 0o755, 0o755],
  ['u=rx', FILE | 0o4755, 0o555],
  ['=r', FILE | 0o1777, 0o1444],
  ['u+r-w', FILE | 0o222, 0o422],
];

test.each(cases)('Mode change %j turns %o into %o', (change, mode, expected) => {
  expect(compileModeChange(change)(mode).toString(8)).toBe(expected.toString(8));
});

test.each(['', 'u', 'u+y', 'z+x', '755', 'u+x,', 'u+rg'])('Mode change %j is invalid', (change) => {
  expect(() => compileModeChange(change)).toThrow('expected an octal or symbolic mode');
});
