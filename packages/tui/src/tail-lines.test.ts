import type { ProgressEvent } from '@tbuild/progress';
import { expect, test } from 'vitest';
import { emptyView, reduce } from './build-view.ts';
import { liveSteps } from './rows.ts';

const events: readonly ProgressEvent[] = [
  { type: 'planned', steps: [{ id: 'a', name: 'RUN seq 50' }] },
  { type: 'started', step: 'a', at: 0 },
  {
    type: 'log',
    step: 'a',
    stream: 'stdout',
    data: Buffer.from(Array.from({ length: 50 }, (_, at) => `${at + 1}\n`).join('')),
  },
];
const view = events.reduce((before, event) => reduce(before, event, 0), emptyView);

// BUILDKIT_TTY_LOG_LINES gives the number.
test.each([
  [undefined, 6],
  [2, 2],
  [20, 20],
])('a running step shows the last lines of its output: with a limit of %s, %s', (tailLines, shown) => {
  const [step] = liveSteps(view, 0, { rows: 50, tailLines }).steps;
  expect(step?.tail.map(({ text }) => text.trim())).toEqual(
    Array.from({ length: shown }, (_, at) => `=> => # ${51 - shown + at}`),
  );
});
