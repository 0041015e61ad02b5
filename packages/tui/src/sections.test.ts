// oxlint-disable no-control-regex -- the log of a job is about control characters
import type { ProgressEvent } from '@tbuild/progress';
import { expect, test } from 'vitest';
import { emptyView, reduce } from './build-view.ts';
import { createSectionPrinter } from './sections.ts';

/** What one `print` sees at its time: the events since the last one. */
type Batch = readonly [at: number, ...events: ProgressEvent[]];

/** Returns what is written, with words in place of the escapes that GitLab reads. */
function sections(...batches: readonly Batch[]): string {
  let text = '';
  let view = emptyView;
  const printer = createSectionPrinter((piece) => (text += piece), { name: 't', color: false });
  for (const [at, ...events] of batches) {
    for (const event of events) {
      view = reduce(view, event, at);
      if ('step' in event && event.step !== undefined) printer.take(view, event.step, at);
    }
    printer.print(view, at);
  }
  printer.end(view, batches.at(-1)?.[0] ?? 0);
  expect(text.replaceAll(/\x1b\[0Ksection_[^\r]*\r\x1b\[0K/g, '')).not.toMatch(/[\r\x1b]/);
  return text.replaceAll('\x1b[0Ksection_', '<').replaceAll('\r\x1b[0K', '>');
}

const started = (step: string, at: number): ProgressEvent => ({ type: 'started', step, at });
const ended = (step: string, at: number, outcome: 'built' | 'cached' | 'failed' = 'built'): ProgressEvent => ({
  type: 'finished',
  step,
  at,
  outcome,
});
const log = (step: string, text: string): ProgressEvent => ({
  type: 'log',
  step,
  stream: 'stderr',
  data: Buffer.from(text),
});

test('a step that ended is a collapsed section with its times, a failed one an open section', () => {
  const text = sections(
    [1000, started('one', 1000), log('one', 'half\rwhole\n'), started('two', 1000), log('two', 'bad\n')],
    [2000, log('two', 'worse\n')],
    [4000, ended('one', 4000), ended('two', 4000, 'failed')],
  );
  expect(text).toBe(
    '<start:1:t_1[collapsed=true]>#1 one 3.0s\n#1 0.000 whole\n#1 DONE 3.0s\n<end:4:t_1>\n' +
      '<start:1:t_2>#2 two ERROR\n#2 0.000 bad\n#2 1.000 worse\n#2 ERROR: failed\n<end:4:t_2>\n',
  );
});

test('a step that runs for 30 seconds is written as it goes on, and those that end beside it wait for it', () => {
  const text = sections(
    [0, started('long', 0), log('long', 'a\n'), started('short', 0)],
    [31_000, log('long', 'b\n')],
    [32_000, ended('short', 32_000, 'cached')],
    [33_000, log('long', 'c\n')],
    [40_000, ended('long', 40_000)],
  );
  expect(text).toBe(
    '<start:0:t_1>#1 long\n#1 0.000 a\n#1 31.00 b\n#1 33.00 c\n#1 DONE 40.0s\n<end:40:t_1>\n' +
      '<start:0:t_2[collapsed=true]>#2 short CACHED\n#2 CACHED\n<end:32:t_2>\n',
  );
});

test('a step that goes on for another 30 seconds makes room for those that ended', () => {
  const text = sections(
    [0, started('long', 0), log('long', 'a\n')],
    [31_000, log('long', 'b\n'), started('short', 31_000)],
    [32_000, ended('short', 32_000)],
    [63_000, log('long', 'c\n')],
    [70_000, ended('long', 70_000)],
  );
  expect(text).toContain('<end:63:t_1>\n<start:31:t_2[collapsed=true]>#2 short 1.0s\n#2 DONE 1.0s\n<end:32:t_2>\n');
  expect(text).toContain('<start:0:t_1_2>#1 long\n#1 DONE 70.0s\n<end:70:t_1_2>\n');
});

test('a step that prints much is written before it ends, and no line is lost', () => {
  const lines = Array.from({ length: 3000 }, (_, n) => `line ${n}\n`);
  const text = sections(
    [0, started('loud', 0), log('loud', lines.slice(0, 2000).join(''))],
    [100, log('loud', lines.slice(2000).join(''))],
    [200, ended('loud', 200)],
  );
  expect(text.indexOf('<start:0:t_1>')).toBe(0);
  expect(text.match(/^#1 .* line /gm)).toHaveLength(3000);
});

test('every section is closed when the build ends in the middle of a step', () => {
  const text = sections([0, started('one', 0), log('one', 'a\n')]);
  expect(text).toBe('<start:0:t_1>#1 one\n#1 0.000 a\n<end:0:t_1>\n');
});
