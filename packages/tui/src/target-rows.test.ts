import type { ProgressEvent } from '@tbuild/progress';
import { expect, test } from 'vitest';
import { emptyView, reduce } from './build-view.ts';
import { targetRows } from './target-rows.ts';

const viewOf = (events: readonly ProgressEvent[]) => events.reduce((view, event) => reduce(view, event, 0), emptyView);

const planned = (...names: readonly string[]): ProgressEvent => ({
  type: 'planned',
  steps: names.flatMap((target) =>
    [1, 2].map((step) => ({ id: `${target} ${step}`, name: `[${target} ${step}/2] RUN step ${step}`, target })),
  ),
});

test('each target has a line with its finished steps and what it does', () => {
  const view = viewOf([
    planned('web', 'api', 'db'),
    { type: 'planned', steps: [{ id: 'other', name: 'other' }] },
    { type: 'started', step: 'web 1', at: 0 },
    { type: 'finished', step: 'web 1', at: 500, outcome: 'built' },
    { type: 'started', step: 'web 2', at: 500 },
    { type: 'finished', step: 'api 1', at: 100, outcome: 'cached' },
    { type: 'finished', step: 'api 2', at: 200, outcome: 'cached' },
  ]);
  expect(targetRows(view, 2000, { rows: 24 })).toEqual([
    { text: ' web (1/2) RUN step 2', timer: '2.0s', tone: 'plain' },
    { text: ' api (2/2)', timer: '0.1s', tone: 'done' },
    { text: ' db (0/2)', tone: 'plain' },
  ]);
});

test('a build of one target has no such lines', () => {
  expect(targetRows(viewOf([{ type: 'planned', steps: [{ id: 'a', name: 'a' }] }]), 0, { rows: 24 })).toEqual([]);
});

test('on a low screen those at work come first', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const view = viewOf([
    planned(...names),
    { type: 'finished', step: 'a 1', at: 0, outcome: 'cached' },
    { type: 'finished', step: 'a 2', at: 0, outcome: 'failed' },
  ]);
  const rows = targetRows(view, 0, { rows: 10 });
  expect(rows.map(({ text }) => text)).toEqual([' b (0/2)', ' c (0/2)', ' d (0/2)', ' 3 more targets']);
  expect(targetRows(view, 0, { rows: 24 })[0]?.tone).toBe('failed');
});
