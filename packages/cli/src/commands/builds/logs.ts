import { type BuildRecord, findBuild, readEvents, type TimedEvent } from '@tbuild/builds';
import type { ProgressEvent } from '@tbuild/progress';
import type { StoreLayout } from '@tbuild/store';
import { display, type TextOutput } from '@tbuild/tui';
import { choiceOf } from '../../flags/choice.ts';
import { storeCommand } from '../store-command.ts';
import { ignoredBuilder } from './ignored-builder.ts';

export const logs = storeCommand({
  summary: 'Print what a build printed, as --progress plain does',
  usage: 'builds logs [OPTIONS] [BUILD]',
  flags: {
    ...ignoredBuilder,
    progress: { kind: 'text', value: 'MODE', help: 'How to print it: plain (default) or rawjson' },
  },
  takes: [0, 1],
  async run({ flags: { progress = 'plain' }, words: [build], services: { store }, env }) {
    const mode = choiceOf(progress, ['plain', 'rawjson'], '--progress') === 'rawjson' ? 'json' : 'plain';
    await printLog(findBuild(store, build), mode, { store, out: env.stdout });
  },
});

/** Prints what a build printed. */
export async function printLog(
  { id, startedAt }: BuildRecord,
  mode: 'plain' | 'json',
  { store, out }: { readonly store: StoreLayout; readonly out: TextOutput },
): Promise<void> {
  let now = startedAt;
  const events = replay(readEvents(store, id), (at) => (now = at));
  await display(events, out, { mode, now: () => now });
}

/** Yields events as they came. */
async function* replay(events: Iterable<TimedEvent>, onTime: (at: number) => void): AsyncGenerator<ProgressEvent> {
  for (const { at, event } of events) {
    onTime(at);
    yield event;
  }
}
