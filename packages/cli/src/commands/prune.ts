import { pruneStore } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import { formatBytes } from '@tbuild/tui';
import { describeFlags, parseArgs, type Flags } from '../args.ts';
import { createWorker } from '../create-worker.ts';
import { storeFlags } from '../store-flags.ts';
import { storeRoot } from '../store-root.ts';
import type { Command } from './command.ts';

const flags = {
  all: { kind: 'switch', short: 'a', help: 'Remove the whole build cache, not only what nothing refers to' },
  force: { kind: 'switch', short: 'f', help: 'Do not ask' },
  ...storeFlags,
} as const satisfies Flags;

export const prune: Command = {
  summary: 'Remove build cache; named images stay',
  async run(argv, env) {
    const { flags: given } = parseArgs(argv, flags);
    if (given.help === true) {
      env.stdout.write(`Usage: tbuild prune [OPTIONS]\n\nRemove build cache; named images stay.\n\n${describeFlags(flags)}\n`);
      return 0;
    }
    if (given.force !== true && !(await confirm(given.all === true, env))) return 1;
    const worker = createWorker({ root: storeRoot(given.root, env), insecureRegistries: [] }, env);
    const freed = await pruneStore(worker, { all: given.all === true });
    env.stdout.write(`Total reclaimed space: ${formatBytes(freed)}\n`);
    return 0;
  },
};

async function confirm(all: boolean, env: Parameters<Command['run']>[1]): Promise<boolean> {
  if (!env.stdin.isTTY) throw new TbuildError('USAGE', 'prune asks before it removes anything, and there is no terminal to ask on', { hint: 'Use --force' });
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: env.stdin, output: env.stderr });
  const what = all ? 'all build cache' : 'build cache that nothing refers to';
  const answer = await terminal.question(`This will remove ${what}. Are you sure you want to continue? [y/N] `);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}
