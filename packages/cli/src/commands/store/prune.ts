import { type PruneOptions, pruneStore } from '@tbuild/gc';
import { formatBytes } from '@tbuild/tui';
import { storeRoot } from '../../config/store-root.ts';
import { parseArgs, type Flags, type FlagValues } from '../../flags/args.ts';
import { parseEntryFilter } from '../../flags/entry-filter.ts';
import { parseSize } from '../../flags/sizes.ts';
import { storeFlags } from '../../flags/store-flags.ts';
import { type Command, helpOf } from '../command.ts';
import { onStore } from '../store-command.ts';
import { confirmed } from './confirmed.ts';

const flags = {
  all: { kind: 'switch', short: 'a', help: 'Remove the whole build cache, not only what nothing refers to' },
  filter: {
    kind: 'list',
    value: 'until=SPAN|NAME=VALUE',
    help: 'Remove entries that were not used for this long (until=24h), or by id, type, description, mutable',
  },
  force: { kind: 'switch', short: 'f', help: 'Do not ask' },
  'keep-storage': { kind: 'text', value: 'SIZE', help: 'The same as --max-used-space' },
  'max-used-space': {
    kind: 'text',
    value: 'SIZE',
    help: 'Remove the least recently used until the build cache holds at most this much',
  },
  'min-free-space': {
    kind: 'text',
    value: 'SIZE',
    help: 'Remove the least recently used until the disk of the store has this much free',
  },
  'reserved-space': { kind: 'text', value: 'SIZE', help: 'Always keep this much of the build cache' },
  builder: { kind: 'text', hidden: true, help: 'No effect: there is one builder' },
  verbose: { kind: 'switch', hidden: true, help: 'No effect' },
  volumes: { kind: 'switch', hidden: true, help: 'No effect: there are no volumes' },
  ...storeFlags,
} as const satisfies Flags;

export const prune: Command = {
  summary: 'Remove build cache and images without a name; named images stay',
  usage: 'prune [OPTIONS]',
  flags,
  async run(argv, env) {
    const { flags: given } = parseArgs(argv, flags);
    if (given.help === true) {
      env.stdout.write(helpOf(prune));
      return 0;
    }
    const options = pruneOptions(given);
    if (given.force !== true && !(await confirmed(describe(options), env))) return 1;
    return onStore({ root: storeRoot(given.root, env), debug: given.debug }, env, async (services) => {
      const { bytes, steps } = await pruneStore(services, options);
      if (steps > 0) env.stdout.write(`Removed steps: ${steps}\n`);
      env.stdout.write(`Total reclaimed space: ${formatBytes(bytes)}\n`);
      return 0;
    });
  },
};

function pruneOptions(given: FlagValues<typeof flags>): PruneOptions {
  const sizeOf = (name: 'max-used-space' | 'keep-storage' | 'min-free-space' | 'reserved-space'): number | undefined =>
    given[name] === undefined ? undefined : parseSize(given[name], `--${name}`);
  const limits = {
    maxUsedSpace: sizeOf('max-used-space') ?? sizeOf('keep-storage'),
    minFreeSpace: sizeOf('min-free-space'),
    reservedSpace: sizeOf('reserved-space'),
  };
  const { unusedFor, chooses } = parseEntryFilter(given.filter ?? []);
  return {
    // With a limit, --all applies to everything that the limit releases.
    all: given.all === true && !isLimited(limits) && unusedFor === undefined && chooses === undefined,
    unusedFor,
    chooses: chooses && ((entry) => chooses({ ...entry, reclaimable: true })),
    ...limits,
  };
}

function isLimited({ maxUsedSpace, minFreeSpace }: PruneOptions): boolean {
  return maxUsedSpace !== undefined || minFreeSpace !== undefined;
}

/** Returns what will be removed, in words. */
function describe(options: PruneOptions): string {
  if (options.chooses !== undefined) return 'the build cache that the filter chooses';
  if (options.unusedFor !== undefined || isLimited(options)) return 'the least recently used build cache';
  return options.all === true ? 'all build cache' : 'build cache that nothing refers to';
}
