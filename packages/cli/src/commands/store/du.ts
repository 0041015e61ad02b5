import { type UsedSpace, usedSpace } from '@tbuild/gc';
import { GoNil } from '@tbuild/go-template';
import { formatBytes } from '@tbuild/tui';
import { parseEntryFilter } from '../../flags/entry-filter.ts';
import { formatFlags, formatRows, jsonLines } from '../../print/format-output.ts';
import { formatAge, formatTable } from '../../print/table.ts';
import { storeCommand } from '../store-command.ts';

export const du = storeCommand({
  summary: 'Show what the store holds on disk, with shared files counted once',
  usage: 'du [OPTIONS]',
  flags: {
    ...formatFlags,
    filter: {
      kind: 'list',
      value: 'until=SPAN|NAME=VALUE',
      help: 'Show entries that were not used for this long, or by id, type, description, inuse, mutable',
    },
    builder: { kind: 'text', hidden: true, help: 'No effect: there is one builder' },
    verbose: { kind: 'switch', short: 'v', help: 'List every entry, most recently used first' },
  },
  takes: [0, 0],
  async run({ flags: { filter = [], format, verbose }, services, env, signal }) {
    const { unusedFor, chooses = () => true } = parseEntryFilter(filter);
    const before = unusedFor === undefined ? Infinity : services.now() - unusedFor;
    const rows = (await usedSpace(services, signal)).filter(
      (row) => chooses(row) && (unusedFor === undefined || (row.usedAt ?? Infinity) < before),
    );
    if (format === 'json') env.stdout.write(jsonLines(rows.map(asJson)));
    else if (format !== undefined && format !== 'table')
      env.stdout.write(
        formatRows(
          format,
          rows.map((row) => asRow(row, services.now())),
          { headings: HEADINGS, columns: [] },
        ),
      );
    else env.stdout.write((verbose === true ? everyEntry(rows, services.now()) : '') + summary(rows));
  },
});

/** The names of `docker buildx du`. */
const HEADINGS = {
  ID: 'ID',
  Type: 'TYPE',
  Size: 'SIZE',
  Reclaimable: 'RECLAIMABLE',
  LastUsedAt: 'LAST USED AT',
  LastUsedSince: 'LAST USED',
  Description: 'DESCRIPTION',
};

function asRow({ name, kind, bytes, usedAt, description, reclaimable }: UsedSpace, now: number) {
  const time = usedAt === undefined ? undefined : new Date(usedAt).toISOString();
  const absent = new GoNil('');
  return {
    ID: name,
    Type: kind,
    Size: formatBytes(bytes),
    Reclaimable: reclaimable,
    LastUsedAt: time ?? absent,
    LastUsedSince: time === undefined ? absent : formatAge(time, now),
    Description: description ?? absent,
  };
}

function asJson({ name, kind, bytes, usedAt, description, reclaimable }: UsedSpace): object {
  return {
    id: name,
    type: kind,
    size: bytes,
    reclaimable,
    lastUsed: usedAt === undefined ? undefined : new Date(usedAt).toISOString(),
    description,
  };
}

function everyEntry(rows: readonly UsedSpace[], now: number): string {
  const cells = rows.map(({ name, kind, bytes, usedAt, description = '' }) => {
    const age = usedAt === undefined ? '' : formatAge(new Date(usedAt).toISOString(), now);
    return [
      name.slice(0, 12),
      kind,
      formatBytes(bytes),
      age,
      description.length > 60 ? `${description.slice(0, 57)}...` : description,
    ];
  });
  return `${formatTable(['ID', 'TYPE', 'SIZE', 'LAST USED', 'STEP'], cells)}\n`;
}

const KINDS: Readonly<Record<UsedSpace['kind'], string>> = {
  'image blobs': 'Images',
  'unnamed image blobs': 'Unnamed images',
  step: 'Steps',
  tree: 'Base layers',
  'cache mount': 'Cache mounts',
  'base image': 'Base images',
  'fetched file': 'Fetched files',
  'git repository': 'Repositories',
  'other blobs': 'Other blobs',
  builds: 'Builds',
  records: 'Records',
  store: 'Store',
};

/** Kinds with one row for all of their entries. */
const UNCOUNTED: ReadonlySet<string> = new Set<UsedSpace['kind']>([
  'image blobs',
  'unnamed image blobs',
  'other blobs',
  'builds',
  'records',
  'store',
]);

function summary(rows: readonly UsedSpace[]): string {
  const cells = Object.entries(KINDS).map(([kind, title]) => {
    const own = rows.filter((row) => row.kind === kind);
    return [
      title,
      UNCOUNTED.has(kind) ? '' : String(own.length),
      formatBytes(total(own)),
      formatBytes(total(own.filter(({ reclaimable }) => reclaimable))),
    ];
  });
  const all = [
    'Total',
    '',
    formatBytes(total(rows)),
    formatBytes(total(rows.filter(({ reclaimable }) => reclaimable))),
  ];
  return formatTable(['TYPE', 'COUNT', 'SIZE', 'RECLAIMABLE'], [...cells, all]);
}

function total(rows: readonly UsedSpace[]): number {
  return rows.reduce((sum, { bytes }) => sum + bytes, 0);
}
