import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { findBuild, readEvents } from '@tbuild/builds';
import { storeCommand } from '../store-command.ts';
import { ignoredBuilder } from './ignored-builder.ts';

export const exportBuild = storeCommand({
  summary: 'Write all that is recorded of a build as one JSON document',
  usage: 'builds export [OPTIONS] [BUILD]',
  flags: {
    ...ignoredBuilder,
    output: { kind: 'text', short: 'o', value: 'FILE', help: 'The file to write (default: standard output)' },
  },
  takes: [0, 1],
  run({ flags: { output = '-' }, words: [build], services: { store }, env }) {
    const record = findBuild(store, build);
    const events = [...readEvents(store, record.id)].map(({ at, event }) =>
      event.type === 'log' ? { at, ...event, data: Buffer.from(event.data).toString() } : { at, ...event },
    );
    const text = `${JSON.stringify({ ...record, events }, null, 2)}\n`;
    if (output === '-') env.stdout.write(text);
    else writeFileSync(resolve(env.cwd, output), text);
  },
});
