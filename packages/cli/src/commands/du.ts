import { usedSpace, type UsedSpace } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import { formatBytes } from '@tbuild/tui';
import { describeFlags, parseArgs, type Flags } from '../args.ts';
import { createWorker } from '../create-worker.ts';
import { storeFlags } from '../store-flags.ts';
import { storeRoot } from '../store-root.ts';
import { formatAge, formatTable } from '../table.ts';
import type { Command } from './command.ts';

const flags = {
  format: { kind: 'text', value: 'json', help: 'Print JSON, one line for each entry' },
  verbose: { kind: 'switch', short: 'v', help: 'List every entry, most recently used first' },
  ...storeFlags,
} as const satisfies Flags;

export const du: Command = {
  summary: 'Show what the store holds on disk',
  async run(argv, env) {
    const { flags: given } = parseArgs(argv, flags);
    if (given.help === true) {
      env.stdout.write(
        `Usage: tbuild du [OPTIONS]\n\nShow what the store holds on disk; what entries share is counted once.\n\n${describeFlags(flags)}\n`,
      );
      return 0;
    }
    if (given.format !== undefined && given.format !== 'json')
      throw new TbuildError('USAGE', `Format ${JSON.stringify(given.format)} is not json`);
    const worker = createWorker({ root: storeRoot(given.root, env) }, env);
    const rows = await usedSpace(worker);
    if (given.format === 'json') env.stdout.write(rows.map((row) => `${JSON.stringify(asJson(row))}\n`).join(''));
    else env.stdout.write((given.verbose === true ? everyEntry(rows, worker.now()) : '') + summary(rows));
    return 0;
  },
};

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
  step: 'Steps',
  tree: 'Base layers',
  'cache mount': 'Cache mounts',
  'other blobs': 'Other blobs',
  records: 'Records',
};

function summary(rows: readonly UsedSpace[]): string {
  const cells = Object.entries(KINDS).map(([kind, title]) => {
    const own = rows.filter((row) => row.kind === kind);
    return [
      title,
      kind === 'step' || kind === 'tree' || kind === 'cache mount' ? String(own.length) : '',
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
