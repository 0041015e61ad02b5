import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { readEvents } from '@tbuild/builds';
import type { ProgressEvent } from '@tbuild/progress';
import { readEvents as readForReport } from '@tbuild/report';
import { storeLayout } from '@tbuild/store';
import { display } from '@tbuild/tui';
import type { Random } from '../../support/random.ts';
import type { HostileKind } from './hostile-kind.ts';
import { jsonOf, mutateBytes, mutateJson } from './mutate.ts';

const RANGE = { file: 'Dockerfile', start: { line: 2, column: 1 }, end: { line: 2, column: 9 } };
const EVENTS: readonly unknown[] = [
  { type: 'planned', steps: [{ id: 'a', name: '[1/2] RUN a', inputs: [], location: RANGE }] },
  { type: 'waiting', step: 'a', at: 1 },
  { type: 'started', step: 'a', at: 1 },
  { type: 'log', step: 'a', stream: 'stdout', text: 'line\n' },
  { type: 'log', step: 'a', stream: 'stderr', base64: '/w==' },
  {
    type: 'log',
    step: 'a',
    stream: 'stdout',
    text: '10 %\r\u001b[K20 %\u001b[31mred\b\u001b]0;title\u0007é漢\n'.repeat(2),
  },
  { type: 'transfer', step: 'a', item: 'sha256:1', current: 1, total: 2 },
  { type: 'warning', message: 'm', step: 'a', location: RANGE, url: 'https://example.com', detail: 'd' },
  { type: 'finished', step: 'a', at: 2, outcome: 'failed', error: 'e', reason: 'r', changes: ['c'] },
];

/** What `builds logs`, the report and others read of a build that was recorded. */
export const RECORDINGS: readonly HostileKind<Buffer>[] = [
  {
    name: 'recorded events',
    make: recording,
    prepare: (directory) => mkdirSync(storeLayout(directory).build('a'), { recursive: true }),
    async read(bytes, { directory }) {
      const store = storeLayout(directory);
      writeFileSync(join(store.build('a'), 'events'), bytes);
      const events = [...readEvents(store, 'a')];
      readForReport(events, 3);
      for (const mode of ['plain', 'sections', 'json', 'quiet'] as const)
        await display(replay(events), new PassThrough().resume(), { mode, now: () => 3 });
    },
  },
];

function recording(random: Random): Buffer {
  const lines = Array.from({ length: 1 + random.int(12) }, (_, at) =>
    jsonOf(mutateJson([1 + 400 * at, random.pick(EVENTS)], random)),
  );
  const bytes = Buffer.from(`${lines.join('\n')}\n`);
  return random.int(10) === 0 ? mutateBytes(bytes, random) : bytes;
}

async function* replay(events: Iterable<{ readonly event: ProgressEvent }>): AsyncGenerator<ProgressEvent> {
  for (const { event } of events) yield event;
}
