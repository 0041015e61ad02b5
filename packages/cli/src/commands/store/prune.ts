import { TbuildError } from '@tbuild/errors';
import { type PruneOptions, pruneStore } from '@tbuild/gc';
import { formatBytes } from '@tbuild/tui';
import { storeRoot } from '../../config/store-root.ts';
import { describeFlags, parseArgs, type Flags, type FlagValues } from '../../flags/args.ts';
import { parseSize, parseSpan } from '../../flags/sizes.ts';
import { storeFlags } from '../../flags/store-flags.ts';
import { createServices } from '../../services/create-services.ts';
import type { Command } from '../command.ts';

const flags = {
  all: { kind: 'switch', short: 'a', help: 'Remove the whole build cache, not only what nothing refers to' },
  filter: {
    kind: 'list',
    value: 'until=SPAN',
    help: 'Remove entries that were not used for this long, such as until=24h',
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
  ...storeFlags,
} as const satisfies Flags;

export const prune: Command = {
  summary: 'Remove build cache and images without a name; named images stay',
  usage: 'prune [OPTIONS]',
  flags,
  async run(argv, env) {
    const { flags: given } = parseArgs(argv, flags);
    if (given.help === true) {
      env.stdout.write(
        `Usage: tbuild prune [OPTIONS]\n\nRemove build cache and images without a name; named images stay.\n\n${describeFlags(flags)}\n`,
      );
      return 0;
    }
    const options = pruneOptions(given);
    if (given.force !== true && !(await confirm(options, env))) return 1;
    const services = createServices({ root: storeRoot(given.root, env) }, env);
    const { bytes, steps } = await pruneStore(services, options);
    if (steps > 0) env.stdout.write(`Removed steps: ${steps}\n`);
    env.stdout.write(`Total reclaimed space: ${formatBytes(bytes)}\n`);
    return 0;
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
  const spans = (given.filter ?? []).map((text) => {
    const [, span] = /^(?:until|unused-for)=(.+)$/.exec(text) ?? [];
    if (span !== undefined) return parseSpan(span, '--filter');
    throw new TbuildError('USAGE', `Invalid --filter ${JSON.stringify(text)}: expected until=SPAN`, {
      hint: 'Write for example --filter until=24h',
    });
  });
  return {
    // With a limit, --all applies to everything that the limit releases.
    all: given.all === true && !isLimited(limits) && spans.length === 0,
    unusedFor: spans.length === 0 ? undefined : Math.max(...spans),
    ...limits,
  };
}

function isLimited({ maxUsedSpace, minFreeSpace }: PruneOptions): boolean {
  return maxUsedSpace !== undefined || minFreeSpace !== undefined;
}

async function confirm(options: PruneOptions, env: Parameters<Command['run']>[1]): Promise<boolean> {
  if (!env.stdin.isTTY)
    throw new TbuildError('USAGE', 'Cannot ask for confirmation: there is no terminal', {
      hint: 'Use --force to remove without asking',
    });
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: env.stdin, output: env.stderr });
  const { all, unusedFor } = options;
  const what =
    unusedFor !== undefined || isLimited(options)
      ? 'the least recently used build cache'
      : all === true
        ? 'all build cache'
        : 'build cache that nothing refers to';
  const answer = await terminal.question(`This will remove ${what}. Are you sure you want to continue? [y/N] `);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}
