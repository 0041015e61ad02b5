import type { Worker } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import { describeFlags, parseArgs, type Flags, type FlagValues } from './args.ts';
import type { Command } from './commands/command.ts';
import { createWorker } from './create-worker.ts';
import type { Environment } from './environment.ts';
import { interruptible } from './interruptible.ts';
import { registryFlags, registryOptions } from './registry-flags.ts';
import { storeFlags } from './store-flags.ts';
import { storeRoot } from './store-root.ts';

/** The option of commands that can print for programs. */
export const formatFlags = {
  format: { kind: 'text', value: 'KIND', help: 'Print "table", or "json" for programs' },
} as const satisfies Flags;

const shared = { ...registryFlags, ...storeFlags } as const;

/** A command on the store, without what they all have in common. */
export interface StoreCommand<F extends Flags> {
  readonly summary: string;
  /** What follows the program's name, e.g. `tag [OPTIONS] IMAGE NAME`. */
  readonly usage: string;
  readonly flags: F;
  /** How many plain words it takes. */
  readonly takes: readonly [least: number, most: number];
  run(call: StoreCall<F>): Promise<void> | void;
}

export interface StoreCall<F extends Flags> {
  readonly flags: FlagValues<F>;
  readonly words: readonly string[];
  readonly worker: Worker;
  readonly env: Environment;
  readonly signal: AbortSignal;
}

/** Adds the help text, the options of the store, the worker and cancelling. */
export function storeCommand<F extends Flags>({
  summary,
  usage,
  flags,
  takes: [least, most],
  run,
}: StoreCommand<F>): Command {
  return {
    summary,
    async run(argv, env) {
      const all = { ...flags, ...storeFlags };
      const { flags: common } = parseArgs<typeof shared>(argv, { ...all, ...shared });
      if (common.help === true) {
        env.stdout.write(`Usage: tbuild ${usage}\n\n${summary}.\n\n${describeFlags(all)}\n`);
        return 0;
      }
      const { flags: own, positional: words } = parseArgs<F>(argv, all);
      if (words.length < least || words.length > most)
        throw new TbuildError('USAGE', `Usage: tbuild ${usage}`, {
          hint: `tbuild ${usage.split(' ')[0]} --help says more`,
        });
      const worker = createWorker({ root: storeRoot(common.root, env), registries: registryOptions(common) }, env);
      try {
        await interruptible(async (signal) => run({ flags: own, words, worker, env, signal }));
      } finally {
        await worker.close();
      }
      return 0;
    },
  };
}

/**
 * Whether `--format` asks for JSON.
 * @throws TbuildError USAGE for Go's templates.
 */
export function wantsJson(format: string | undefined): boolean {
  if (format === undefined || format === 'table') return false;
  if (format === 'json' || format === '{{json .}}') return true;
  throw new TbuildError('USAGE', `Format ${JSON.stringify(format)} is neither table nor json`, {
    hint: 'Templates are not supported: use --format json and a program such as jq',
  });
}

/** One document a line, as Docker prints them. */
export function jsonLines(documents: readonly object[]): string {
  return documents.map((document) => `${JSON.stringify(document)}\n`).join('');
}
