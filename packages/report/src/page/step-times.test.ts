import { expect, test } from 'vitest';
import type { StepFacts } from '../report-data.ts';
import { criticalPath, savings } from './step-times.ts';

const step = (id: string, [from, to]: readonly [number, number], inputs: readonly string[] = []): StepFacts => ({
  id,
  name: id,
  inputs,
  waits: [],
  runs: [{ from, to }],
  transfers: [],
  log: [],
});

/** Two stages, of which `slow` takes longer, and an export after them. */
const steps = [
  step('base', [0, 10]),
  step('fast', [10, 20], ['base']),
  step('slow', [10, 60], ['base']),
  step('join', [60, 70], ['fast', 'slow']),
  step('export', [70, 75]),
];

test('the critical path leads from the last step back over the inputs that ended last', () => {
  expect([...criticalPath({ steps })]).toEqual(['export', 'join', 'slow', 'base']);
});

test('a cached step saves as much as the longest chain gets shorter', () => {
  expect(Object.fromEntries(savings({ steps }))).toEqual({ base: 10, fast: 0, slow: 40, join: 10, export: 0 });
});
