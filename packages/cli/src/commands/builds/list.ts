import { type BuildRecord, buildRef, listBuilds } from '@tbuild/builds';
import { formatSeconds } from '@tbuild/tui';
import { type ComparedValues, conditionOf } from '../../flags/condition.ts';
import { formatFlags, formatRows } from '../../print/format-output.ts';
import { formatAge } from '../../print/table.ts';
import { storeCommand } from '../store-command.ts';
import { ignoredBuilder } from './ignored-builder.ts';
import { statusOf } from './status.ts';

export const list = storeCommand({
  summary: 'List the recorded builds, the newest first',
  usage: 'builds ls [OPTIONS]',
  flags: {
    ...formatFlags,
    ...ignoredBuilder,
    filter: {
      kind: 'list',
      value: 'NAME=VALUE',
      help: 'Only these builds: status, name, ref; also != and ~=EXPRESSION',
    },
    local: { kind: 'switch', hidden: true, help: 'No effect: all builds are of this machine' },
    'no-trunc': { kind: 'switch', help: 'Print whole names' },
    quiet: { kind: 'switch', short: 'q', help: 'Print only IDs' },
  },
  takes: [0, 0],
  run({ flags: { format, quiet, filter = [], ...flags }, services: { store, now }, env }) {
    const whole = flags['no-trunc'] === true;
    const conditions = filter.map((text) => conditionOf(text, COMPARED, WORDS));
    const chosen = [...listBuilds(store)].filter((record) => conditions.every((holds) => holds(record)));
    const rows = chosen.map((record) => rowOf(record, now(), whole));
    env.stdout.write(
      quiet === true
        ? rows.map(({ ID }) => `${ID}\n`).join('')
        : formatRows(format, rows, { headings: HEADINGS, columns: ['ID', 'Name', 'Status', 'CreatedAt', 'Duration'] }),
    );
  },
});

const HEADINGS = {
  Ref: 'REF',
  ID: 'BUILD ID',
  Name: 'NAME',
  Status: 'STATUS',
  CreatedAt: 'CREATED AT',
  Duration: 'DURATION',
  Steps: 'STEPS',
  Cached: 'CACHED',
  Warnings: 'WARNINGS',
};

const COMPARED: ComparedValues<BuildRecord> = {
  status: (record) => [record.status, statusOf(record)],
  name: ({ name }) => [name],
  ref: ({ id }) => [id, buildRef(id)],
};

const WORDS = {
  expected: Object.keys(COMPARED).join(', '),
  hint: 'Write for example --filter status=error or --filter name~=^app',
  // No build that runs is recorded.
  accepted: { status: ['completed', 'error', 'canceled', 'running', 'Completed', 'Error', 'Canceled', 'Running'] },
};

/** In characters, as buildx cuts names. */
const LONGEST_NAME = 36;

function rowOf(record: BuildRecord, now: number, whole: boolean) {
  const { id, name, startedAt, completedAt, counts, warnings } = record;
  return {
    Ref: buildRef(id),
    ID: id,
    Name: whole || name.length <= LONGEST_NAME ? name : `${name.slice(0, LONGEST_NAME - 1)}…`,
    Status: statusOf(record),
    CreatedAt: formatAge(new Date(startedAt).toISOString(), now),
    Duration: formatSeconds(completedAt - startedAt),
    Steps: counts.total,
    Cached: counts.cached,
    Warnings: warnings,
  };
}
