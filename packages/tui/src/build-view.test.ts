import type { ProgressEvent } from '@tbuild/progress';
import { expect, test } from 'vitest';
import { emptyView, isComplete, reduce, stepsIn, type BuildView } from './build-view.ts';
import { appendLog, closeLog, emptyLog, KEPT_LINES, openLine } from './log-lines.ts';

const planned: ProgressEvent = {
  type: 'planned',
  steps: [
    { id: 'a', name: '[1/2] FROM x' },
    { id: 'b', name: '[2/2] RUN y' },
  ],
};
const after = (...events: readonly ProgressEvent[]): BuildView =>
  events.reduce((view, event, index) => reduce(view, event, 1000 + index), emptyView);
const started = (step: string, at = 1000): ProgressEvent => ({ type: 'started', step, at });
const log = (step: string, text: string): ProgressEvent => ({
  type: 'log',
  step,
  stream: 'stdout',
  data: Buffer.from(text),
});

const cases: [name: string, events: ProgressEvent[], id: string, expected: object][] = [
  ['planned steps wait', [planned], 'a', { name: '[1/2] FROM x', state: 'waiting', index: 0 }],
  ['numbers are given by start', [planned, started('b'), started('a')], 'a', { state: 'running', index: 2 }],
  ['a second start changes nothing', [started('a', 5), started('a', 9)], 'a', { index: 1, startedAt: 5 }],
  [
    'a step that waits has no time yet',
    [planned, { type: 'waiting', step: 'b', at: 5 }],
    'b',
    { isHeld: true, index: 0 },
  ],
  [
    'a step that starts again goes on with its number and its time',
    [started('a', 5), { type: 'finished', step: 'a', at: 7, outcome: 'built' }, started('b', 8), started('a', 20)],
    'a',
    { state: 'running', index: 1, spent: 2, startedAt: 20, finishedAt: undefined },
  ],
  ['a step never planned is called by its id', [started('exporting')], 'exporting', { name: 'exporting', index: 1 }],
  ['a plan that comes late names it', [started('a'), planned], 'a', { name: '[1/2] FROM x', state: 'running' }],
  [
    'finished without start takes a number too',
    [planned, { type: 'finished', step: 'a', at: 7, outcome: 'cached' }],
    'a',
    { state: 'cached', index: 1, startedAt: 7, finishedAt: 7 },
  ],
  [
    'the first outcome stays',
    [
      started('a'),
      { type: 'finished', step: 'a', at: 7, outcome: 'failed', error: 'e' },
      { type: 'finished', step: 'a', at: 8, outcome: 'built' },
    ],
    'a',
    { state: 'failed', error: 'e', finishedAt: 7 },
  ],
  [
    'lines carry the time since the start',
    [started('a', 990), log('a', 'one\ntw'), log('a', 'o\n')],
    'a',
    {
      log: {
        lines: [
          { after: 11, text: 'one' },
          { after: 11, text: 'two' },
        ],
        count: 2,
        open: undefined,
      },
    },
  ],
  [
    'an unfinished line is complete at the end',
    [started('a'), log('a', 'x'), { type: 'finished', step: 'a', at: 7, outcome: 'built' }],
    'a',
    { log: { lines: [{ after: 1, text: 'x' }], count: 1 } },
  ],
  [
    'transfers are known by item and done when all is moved',
    [
      { type: 'transfer', step: 'a', item: 'x', current: 1, total: 4 },
      { type: 'transfer', step: 'a', item: 'y', current: 3 },
      { type: 'transfer', step: 'a', item: 'x', current: 4, total: 4 },
    ],
    'a',
    {
      transfers: [
        { item: 'x', current: 4, total: 4, startedAt: 1000, updatedAt: 1002, done: true },
        { item: 'y', current: 3, total: undefined, startedAt: 1001, updatedAt: 1001, done: false },
      ],
    },
  ],
  [
    'warnings tell their line',
    [
      {
        type: 'warning',
        step: 'a',
        message: 'W',
        location: { file: 'Dockerfile', start: { line: 3, column: 1 }, end: { line: 3, column: 2 } },
      },
    ],
    'a',
    { warnings: ['W (line 3)'] },
  ],
];

test.each(cases)('%s', (_name, events, id, expected) => {
  expect(after(...events).steps.get(id)).toMatchObject(expected);
});

test('a build is complete when every planned step has finished', () => {
  const half = after(planned, started('a'), { type: 'finished', step: 'a', at: 3, outcome: 'built' });
  expect([isComplete(emptyView), isComplete(half)]).toEqual([false, false]);
  const whole = reduce(half, { type: 'finished', step: 'b', at: 5, outcome: 'cached' }, 5);
  expect([isComplete(whole), whole.finished, whole.finishedAt]).toEqual([true, ['a', 'b'], 5]);
});

test('reduce does not change the view it gets', () => {
  const view = after(planned, started('a'));
  const copy = structuredClone(view);
  reduce(view, log('a', 'x\n'), 5);
  expect(view).toEqual(copy);
});

test('stepsIn lists steps in the order of their start', () => {
  expect(stepsIn(after(planned, started('b'), started('a')), 'running').map((step) => step.id)).toEqual(['b', 'a']);
});

test('a character in two chunks of output stays whole', () => {
  const bytes = Buffer.from('größe\n');
  const log1 = appendLog(emptyLog, bytes.subarray(0, 3), 1);
  expect(appendLog(log1, bytes.subarray(3), 2).lines).toEqual([{ after: 1, text: 'größe' }]);
});

test('a view drops old lines, but none of the latest event', () => {
  const many = appendLog(appendLog(emptyLog, Buffer.from('x\n'.repeat(500)), 1), Buffer.from('y\n'.repeat(300)), 2);
  expect([many.count, many.lines.length]).toEqual([800, KEPT_LINES + 300]);
});

test('output without line feeds is cut', () => {
  let binary = emptyLog;
  let bar = emptyLog;
  for (let i = 0; i < 100; i++) {
    binary = appendLog(binary, Buffer.alloc(4096, 65), 1);
    bar = appendLog(bar, Buffer.from(`${String(i)}%\r`.repeat(1000)), 1);
  }
  expect(binary.count).toBeGreaterThan(10);
  expect(bar.count).toBe(0);
  expect(openLine(bar)?.text).toBe('99%');
  expect(bar.open?.bytes.length).toBeLessThan(20_000);
  expect(closeLog(bar).lines.at(-1)?.text).toBe('99%');
});

test('texts of a build cannot change the terminal or begin a line', () => {
  const id = 'x';
  const events: ProgressEvent[] = [
    { type: 'planned', steps: [{ id, name: 'RUN \x1b[2J\r::error::x' }] },
    { type: 'started', step: id, at: 0 },
    { type: 'transfer', step: id, item: 'a\x1bc', current: 1 },
    { type: 'transfer', step: id, item: 'a\x1bc', current: 2 },
    { type: 'warning', message: 'about \x9b31m' },
    { type: 'finished', step: id, at: 1, outcome: 'failed', error: '\x1b]0;title\x07' },
  ];
  const view = events.reduce((before, event) => reduce(before, event, 0), emptyView);
  const step = view.steps.get(id);
  expect([step?.name, step?.error]).toEqual(['RUN �[2J�::error::x', '�]0;title�']);
  expect(step?.transfers.map(({ item, current }) => [item, current])).toEqual([['a�c', 2]]);
  expect(view.warnings.map(({ message }) => message)).toEqual(['about �31m']);
});
