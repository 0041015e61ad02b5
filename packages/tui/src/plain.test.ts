import type { ProgressEvent } from '@tbuild/progress';
import { expect, test } from 'vitest';
import { emptyView, reduce } from './build-view.ts';
import { epilogue } from './epilogue.ts';
import { createPlainPrinter } from './plain.ts';

/** What one `print` sees at its time: the events since the last one. */
type Batch = readonly [at: number, ...events: ProgressEvent[]];

function plain(...batches: readonly Batch[]): string {
  let text = '';
  let view = emptyView;
  const printer = createPlainPrinter((piece) => (text += piece));
  for (const [at, ...events] of batches) {
    for (const event of events) {
      view = reduce(view, event, at);
      if ('step' in event && event.step !== undefined) printer.take(view, event.step, at);
    }
    printer.print(view, at);
  }
  return text + epilogue(view);
}

const plan = (...names: readonly string[]): ProgressEvent => ({
  type: 'planned',
  steps: names.map((name) => ({ id: name, name })),
});
const started = (step: string, at: number): ProgressEvent => ({ type: 'started', step, at });
const built = (step: string, at: number): ProgressEvent => ({ type: 'finished', step, at, outcome: 'built' });
const cached = (step: string, at: number): ProgressEvent => ({ type: 'finished', step, at, outcome: 'cached' });
const log = (step: string, text: string): ProgressEvent => ({
  type: 'log',
  step,
  stream: 'stderr',
  data: Buffer.from(text),
});
const moved = (step: string, item: string, current: number, total?: number, done?: boolean): ProgressEvent => ({
  type: 'transfer',
  step,
  item,
  current,
  total,
  done,
});

test('the plain display prints a build as buildx does', () => {
  const text = plain(
    [0, plan('[internal] load build context', '[1/3] FROM busybox', '[2/3] COPY . .', '[3/3] RUN make')],
    [
      10,
      started('[internal] load build context', 0),
      moved('[internal] load build context', 'transferring context', 1000),
    ],
    [
      110,
      moved('[internal] load build context', 'transferring context', 2_300_000, undefined, true),
      built('[internal] load build context', 110),
    ],
    [
      200,
      started('[1/3] FROM busybox', 110),
      cached('[1/3] FROM busybox', 110),
      cached('[2/3] COPY . .', 111),
      started('[3/3] RUN make', 111),
    ],
    [345, log('[3/3] RUN make', 'cc -o a a.c\n')],
    [12_456, log('[3/3] RUN make', ' 50%\r100%\nno line feed')],
    [12_600, built('[3/3] RUN make', 12_600)],
  );
  expect(text).toBe(`#1 [internal] load build context
#1 transferring context: 2.30MB 0.1s done
#1 DONE 0.1s

#2 [1/3] FROM busybox
#2 CACHED

#3 [2/3] COPY . .
#3 CACHED

#4 [3/3] RUN make
#4 0.234 cc -o a a.c
#4 12.35 100%
#4 12.35 no line feed
#4 DONE 12.5s
`);
});

test('an interrupted step shows its header again', () => {
  const text = plain(
    [0, plan('a', 'b', 'c'), started('a', 0), started('b', 0)],
    [1000, log('a', 'a1\n'), log('b', 'b1\n')],
    [2000, log('b', 'b2\n'), built('b', 2000)],
    [3000, log('a', 'a2\n')],
    [3100, started('c', 3000), built('a', 3100), built('c', 3100)],
  );
  expect(text).toBe(`#1 a
#1 1.000 a1
#1 ...

#2 b
#2 1.000 b1
#2 2.000 b2
#2 DONE 2.0s

#1 a
#1 3.000 a2
#1 DONE 3.1s

#3 c
#3 DONE 0.1s
`);
});

test('a step hidden for ten seconds is shown while another still runs', () => {
  const text = plain(
    [0, started('a', 0), started('b', 0)],
    [100, log('a', 'a1\n'), log('b', 'b1\n')],
    [9000, log('a', 'a2\n')],
    [10_200, log('a', 'a3\n')],
    [10_300, log('b', 'b2\n')],
    [10_400, built('a', 10_400), built('b', 10_400)],
  );
  expect(text).toBe(`#1 a
#1 0.100 a1
#1 9.000 a2
#1 10.20 a3
#1 ...

#2 b
#2 0.100 b1
#2 10.30 b2
#2 DONE 10.4s

#1 a
#1 DONE 10.4s
`);
});

test('a transfer is printed after a second, then each time it has taken twice as long, and at the end', () => {
  const layer = (current: number): ProgressEvent => moved('pull', 'sha256:ab', current, 100_000_000);
  const ticks = Array.from({ length: 90 }, (_, index): Batch => [index * 100, layer(index * 1_000_000)]);
  const text = plain(
    [0, started('pull', 0)],
    ...ticks,
    [9000, layer(100_000_000), moved('pull', 'extracting sha256:ab', 0)],
    [9500, moved('pull', 'extracting sha256:ab', 0, undefined, true), built('pull', 9500)],
  );
  expect(text).toBe(`#1 pull
#1 sha256:ab 10.00MB / 100.00MB 10.00MB/s 1.0s
#1 sha256:ab 20.00MB / 100.00MB 10.00MB/s 2.0s
#1 sha256:ab 40.00MB / 100.00MB 10.00MB/s 4.0s
#1 sha256:ab 80.00MB / 100.00MB 10.00MB/s 8.0s
#1 sha256:ab 100.00MB / 100.00MB 9.0s done
#1 extracting sha256:ab
#1 extracting sha256:ab 0.5s done
#1 DONE 9.5s
`);
});

test('a transfer that its step did not finish is not called done', () => {
  const text = plain(
    [0, started('pull', 0), moved('pull', 'sha256:ab', 0, 10), moved('pull', 'sha256:cd', 0, 20)],
    [500, moved('pull', 'sha256:ab', 10, 10), moved('pull', 'sha256:cd', 5, 20)],
    [500, { type: 'finished', step: 'pull', at: 500, outcome: 'cancelled' }],
  );
  expect(text).toBe(`#1 pull
#1 sha256:ab 10B / 10B 0.5s done
#1 sha256:cd 5B / 20B 0.5s
#1 CANCELED
`);
});

test('a hidden step is shown for its start and its end, but not for the progress of a transfer', () => {
  const ticks = Array.from({ length: 300 }, (_, index): Batch => {
    const tick = moved('pull', 'sha256:ab', index * 1000, 300_000);
    return [100 + index * 100, tick, ...(index % 50 === 0 ? [log('make', `line ${index}\n`)] : [])];
  });
  const text = plain(
    [0, started('make', 0), log('make', 'begin\n'), started('pull', 0)],
    ...ticks,
    [30_100, moved('pull', 'sha256:ab', 300_000, 300_000), built('pull', 30_100)],
    [30_200, built('make', 30_200)],
  );
  expect(text.match(/^#\d (pull|make|\.\.\.)$/gm)).toEqual([
    '#1 make',
    '#1 ...',
    '#2 pull',
    '#2 ...',
    '#1 make',
    '#1 ...',
    '#2 pull',
    '#1 make',
  ]);
});

test('a step that starts again keeps its number and shows the time of all its runs', () => {
  const text = plain(
    [0, started('FROM', 0), built('FROM', 200)],
    [1000, started('COPY', 1000), built('COPY', 1100)],
    [3000, { type: 'waiting', step: 'RUN', at: 3000 }, started('FROM', 3000), moved('FROM', 'sha256:ab', 0, 10)],
    [4000, moved('FROM', 'sha256:ab', 10, 10), built('FROM', 4000), started('RUN', 4000)],
    [4500, built('RUN', 4500)],
  );
  expect(text).toBe(`#1 FROM
#1 DONE 0.2s

#2 COPY
#2 DONE 0.1s

#1 FROM
#1 sha256:ab 10B / 10B 1.0s done
#1 DONE 1.2s

#3 RUN
#3 DONE 0.5s
`);
});

test('a failed build repeats the last output of the failed step, and the warnings', () => {
  const text = plain(
    [0, plan('[1/2] FROM x', '[2/2] RUN false', 'other', 'never')],
    [5, started('[2/2] RUN false', 0), started('other', 0)],
    [20, log('[2/2] RUN false', 'oops\n'), { type: 'warning', step: 'other', message: 'Careful' }],
    [
      30,
      { type: 'finished', step: '[2/2] RUN false', at: 30, outcome: 'failed', error: 'RUN exited with code 1' },
      { type: 'finished', step: 'other', at: 30, outcome: 'cancelled' },
    ],
  );
  expect(text).toBe(`#1 [2/2] RUN false
#1 0.020 oops
#1 ERROR: RUN exited with code 1

#2 other
#2 WARN: Careful
#2 CANCELED
------
 > [2/2] RUN false:
0.020 oops
------

 1 warning found (use --debug to expand):
 - Careful
`);
});

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `line ${from + index}`);

test('a flood of output is printed whole, even that of a hidden step', () => {
  const flood = (step: string, from: number, to: number): ProgressEvent[] =>
    numbers(from, to).map((line) => log(step, `${line}\n`));
  const text = plain(
    [0, plan('a', 'b'), started('a', 0), started('b', 0), log('a', 'a1\n')],
    [100, log('a', 'a2\n'), ...flood('b', 0, 900)],
    [200, log('a', 'a3\n'), ...flood('b', 900, 1200)],
    [300, ...flood('a', 0, 500), built('a', 300), built('b', 300)],
  );
  const linesOf = (index: number) =>
    text.split('\n').flatMap((line) => new RegExp(`^#${index} [\\d.]+ (line \\d+)$`).exec(line)?.[1] ?? []);
  expect(linesOf(2)).toEqual(numbers(0, 1200));
  expect(linesOf(1)).toEqual(numbers(0, 500));
  // What waits is bounded: the hidden step was shown before its end.
  expect(text.indexOf('line 1199')).toBeLessThan(text.indexOf('#1 DONE'));
});

test('an unfinished line is shown after two seconds, and later only its rest', () => {
  const text = plain(
    [0, plan('a'), started('a', 0), log('a', 'Password: ')],
    [1900],
    [2000],
    [2100],
    [5000, log('a', 'x')],
    [7100, log('a', 'y\n.')],
    [7200, log('a', '.\nend\n'), built('a', 7200)],
  );
  expect(text).toBe(`#1 a
#1 0.000 Password:${' '}
#1 0.000 x
#1 0.000 y
#1 7.100 ..
#1 7.200 end
#1 DONE 7.2s
`);
});
