import type { ProgressEvent } from '@tbuild/progress';
import { expect, test } from 'vitest';
import { emptyView, reduce } from './build-view.ts';
import { failures } from './epilogue.ts';
import { createKeptOutput } from './kept-output.ts';

function shown(events: readonly ProgressEvent[]): string {
  const output = createKeptOutput();
  let view = emptyView;
  for (const event of events) {
    view = reduce(view, event, 0);
    output.take(view, event);
  }
  return failures(view, output);
}

const log = (step: string, text: string): ProgressEvent => ({
  type: 'log',
  step,
  stream: 'stdout',
  data: Buffer.from(text),
});
const started = (step: string): ProgressEvent => ({ type: 'started', step, at: 0 });
const failed = (step: string): ProgressEvent => ({ type: 'finished', step, at: 0, outcome: 'failed' });

test('the whole output of a failed step is shown, and none of a step that succeeded', () => {
  const lines = Array.from({ length: 500 }, (_, index) => `line ${index}\n`);
  const text = shown([
    started('a'),
    started('b'),
    ...lines.map((line) => log('a', line)),
    log('b', 'fine\n'),
    { type: 'finished', step: 'b', at: 0, outcome: 'built' },
    log('a', 'no line feed'),
    failed('a'),
  ]);
  expect(text).toBe(`------\n > a:\n${lines.map((line) => `0.000 ${line}`).join('')}0.000 no line feed\n------\n`);
});

test('the last hundred thousand lines of endless output are shown', () => {
  const flood = Array.from({ length: 300 }, (_, index) => log('a', `line ${index}\n`.repeat(1000)));
  const lines = shown([started('a'), ...flood, failed('a')]).split('\n');
  expect(lines).toHaveLength(100_000 + 5);
  expect(lines[2]).toBe('[200000 earlier lines are not shown; --progress plain prints them]');
  expect(lines.at(-3)).toBe('0.000 line 299');
});
