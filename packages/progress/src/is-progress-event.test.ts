import { expect, test } from 'vitest';
import { isProgressEvent } from './index.ts';

test.each([
  { type: 'planned', steps: [{ id: 'a', name: 'RUN a', inputs: ['b'] }] },
  { type: 'started', step: 'a', at: 1 },
  { type: 'finished', step: 'a', at: 2, outcome: 'cached', changes: ['c'] },
  { type: 'log', step: 'a', stream: 'stdout', data: Buffer.from('x') },
  { type: 'transfer', step: 'a', item: 'i', current: 1, total: 2, done: false },
  { type: 'warning', message: 'm', url: 'https://example.com' },
])('an event is recognised: %j', (event) => {
  expect(isProgressEvent(event)).toBe(true);
});

test.each([
  null,
  'started',
  {},
  { type: 'constructor' },
  { type: 'planned', steps: {} },
  { type: 'planned', steps: [{ id: 'a' }] },
  { type: 'started', step: 'a', at: 1e300 },
  { type: 'finished', step: 'a', at: 2, outcome: 'done' },
  { type: 'log', step: 'a', stream: 'stdout', data: 'x' },
  { type: 'transfer', step: 'a', item: 'i', current: '1' },
  { type: 'warning', message: 'm', location: { file: 'f' } },
])('another value is no event: %j', (event) => {
  expect(isProgressEvent(event)).toBe(false);
});
