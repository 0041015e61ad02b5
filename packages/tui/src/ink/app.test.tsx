import { PassThrough } from 'node:stream';
import type { ProgressEvent } from '@tbuild/progress';
import { render } from 'ink';
import { expect, test } from 'vitest';
import { emptyView, reduce, type BuildView } from '../build-view.ts';
import { summaryLines, type Screen } from '../rows.ts';
import { App } from './app.tsx';

const screen: Screen = { columns: 60, rows: 24, color: false };
const plan: Extract<ProgressEvent, { type: 'planned' }> = {
  type: 'planned',
  steps: ['[1/3] FROM busybox', '[2/3] RUN make', '[3/3] RUN make test', 'exporting to image'].map((name) => ({
    id: name,
    name,
  })),
};
const started = (step: string, at: number): ProgressEvent => ({ type: 'started', step, at });
const log = (step: string, text: string): ProgressEvent => ({
  type: 'log',
  step,
  stream: 'stdout',
  data: Buffer.from(text),
});

const running: readonly ProgressEvent[] = [
  plan,
  started('[1/3] FROM busybox', 0),
  { type: 'finished', step: '[1/3] FROM busybox', at: 20, outcome: 'cached' },
  started('[2/3] RUN make', 20),
  log('[2/3] RUN make', 'one\ntwo\nthree\nfour\nfive\nsix\nseven\n\x1b[31mred\x1b[2J\x1b[0m\n10%\r20%'),
  started('[3/3] RUN make test', 30),
  { type: 'transfer', step: '[3/3] RUN make test', item: 'sha256:abcdef', current: 3_000_000, total: 29_000_000 },
];

const states: [name: string, events: readonly ProgressEvent[], now: number, on: Screen, ended: boolean][] = [
  ['planned', [plan], 0, screen, false],
  ['running', running, 1234, screen, false],
  [
    'one step waits for another',
    [
      plan,
      started('[1/3] FROM busybox', 0),
      { type: 'waiting', step: '[2/3] RUN make', at: 10 },
      { type: 'transfer', step: '[1/3] FROM busybox', item: 'sha256:abcdef', current: 3_000_000, total: 29_000_000 },
    ],
    1234,
    screen,
    false,
  ],
  ['running on a narrow screen', running, 1234, { ...screen, columns: 30 }, false],
  ['running on a low screen', running, 1234, { ...screen, rows: 8 }, false],
  [
    'built',
    [
      plan,
      ...plan.steps.flatMap(({ id }, index): ProgressEvent[] => [
        started(id, index * 100),
        { type: 'finished', step: id, at: index * 100 + 90, outcome: 'built' },
      ]),
    ],
    400,
    screen,
    true,
  ],
  [
    'several cached, and the time that it took before',
    [
      plan,
      ...plan.steps
        .slice(0, 3)
        .flatMap(({ id }): ProgressEvent[] => [
          started(id, 10),
          { type: 'finished', step: id, at: 10, outcome: 'cached' },
        ]),
      started('exporting to image', 20),
    ],
    2000,
    { ...screen, expected: 12_000 },
    false,
  ],
  [
    'failed, in colour',
    [
      ...running,
      { type: 'finished', step: '[2/3] RUN make', at: 1500, outcome: 'failed', error: 'RUN exited with code 2' },
      { type: 'finished', step: '[3/3] RUN make test', at: 1510, outcome: 'cancelled' },
    ],
    1600,
    { ...screen, color: true },
    true,
  ],
  [
    'more steps than lines',
    Array.from({ length: 20 }, (_, index): ProgressEvent => started(`step ${index}`, 0)),
    100,
    screen,
    false,
  ],
];

test.each(states)('frame: %s', (_name, events, now, on, ended) => {
  expect(frame(viewOf(events), now, on, ended)).toMatchSnapshot();
});

test('a short build prints its summary without the live view', () => {
  expect(summaryLines(viewOf(running), 1234, screen).join('\n')).toMatchSnapshot();
});

function viewOf(events: readonly ProgressEvent[]): BuildView {
  return events.reduce((view, event) => reduce(view, event, 30), emptyView);
}

/** The screen as ink draws it: with `debug`, each write is the whole frame. */
function frame(view: BuildView, now: number, on: Screen, ended: boolean): string {
  let last = '';
  const stdout = Object.assign(new PassThrough(), { columns: on.columns, rows: on.rows });
  stdout.on('data', (data: Buffer) => (last = data.toString()));
  const { unmount } = render(<App view={view} now={now} screen={on} ended={ended} />, {
    stdout: stdout as unknown as NodeJS.WriteStream,
    debug: true,
    patchConsole: false,
    exitOnCtrlC: false,
  });
  unmount();
  return last;
}
