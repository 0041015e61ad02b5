import { expect, test } from 'vitest';
import { defaultTheme, readTheme } from './theme.ts';

test.each([
  ['', {}],
  ['run=green', { run: '\x1b[32m' }],
  ['run=lightgreen:error=255,0,10', { run: '\x1b[92m', error: '\x1b[38;2;255;0;10m' }],
  ['warning=magenta:cancel=cyan', { warning: '\x1b[35m', cancel: '\x1b[36m' }],
  ['run=mauve:error=300,0,0:other=red:nonsense', {}],
])('BUILDKIT_COLORS=%j gives its colours', (text, changed) => {
  expect(readTheme(text)).toEqual({ ...defaultTheme, ...changed });
});
