import type { ProgressEvent } from '@tbuild/progress';
import { expect, test } from 'vitest';
import { readEvents } from './read-events.ts';

const log = (at: number, data: Uint8Array) => ({
  at,
  event: { type: 'log', step: 'b', stream: 'stdout', data } as const,
});

test('what happens in a build becomes its steps, with output that may be split within a character', () => {
  const planned: ProgressEvent = {
    type: 'planned',
    steps: [
      { id: 'a', name: 'A' },
      { id: 'b', name: 'B', inputs: ['a'] },
      { id: 'c', name: 'C' },
    ],
  };
  const text = Buffer.from('añb\n');
  const { steps, warnings } = readEvents(
    [
      { at: 5, event: planned },
      { at: 10, event: { type: 'started', step: 'a', at: 10 } },
      { at: 11, event: { type: 'waiting', step: 'b', at: 11 } },
      { at: 20, event: { type: 'finished', step: 'a', at: 20, outcome: 'cached' } },
      { at: 21, event: { type: 'started', step: 'b', at: 21 } },
      log(30, text.subarray(0, 2)),
      log(60, text.subarray(2)),
      { at: 61, event: { type: 'warning', message: 'careful' } },
      { at: 70, event: { type: 'finished', step: 'b', at: 70, outcome: 'built', reason: 'it is new' } },
    ],
    80,
  );
  expect(steps.map(({ id, outcome, waits, runs }) => ({ id, outcome, waits, runs }))).toEqual([
    { id: 'a', outcome: 'cached', waits: [], runs: [{ from: 10, to: 20 }] },
    { id: 'b', outcome: 'built', waits: [{ from: 11, to: 21 }], runs: [{ from: 21, to: 70 }] },
    { id: 'c', outcome: undefined, waits: [], runs: [] },
  ]);
  expect(steps[1]?.log).toEqual([
    [30, 'a'],
    [60, 'ñb\n'],
  ]);
  expect(warnings).toEqual([{ message: 'careful' }]);
});

test('of endless output the beginning and the end are kept', () => {
  const lines = Array.from({ length: 100 }, (_, at) => log(at, Buffer.from(`${at} ${'x'.repeat(100_000)}\n`)));
  const [step] = readEvents(lines, 100).steps;
  const text = step?.log.map(([, part]) => part).join('') ?? '';
  expect(text.length).toBeLessThan(4_100_000);
  expect(text).toMatch(/^0 x+\n1 /);
  expect(text).toMatch(/\n99 x+\n$/);
  expect(text).toContain('is not in this report');
});
