import type { Services } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import type { Environment } from '../config/environment.ts';
import { storeRoot } from '../config/store-root.ts';
import { parseArgs, type Flags, type FlagValues } from '../flags/args.ts';
import { registryFlags, registryOptions } from '../flags/registry-flags.ts';
import { storeFlags } from '../flags/store-flags.ts';
import { exitCodeOf, formatError } from '../print/report-error.ts';
import { createServices, type ServicesOptions } from '../services/create-services.ts';
import { interruptible } from '../services/interruptible.ts';
import { type Command, helpOf } from './command.ts';

const shared = { ...registryFlags, ...storeFlags } as const;

/** A command on the store, without the parts that all have in common. */
export interface StoreCommand<F extends Flags> {
  readonly summary: string;
  /** The usage after the program's name, e.g. `tag [OPTIONS] IMAGE NAME`. */
  readonly usage: string;
  readonly flags: F;
  /** The smallest and the largest number of plain words. */
  readonly takes: readonly [least: number, most: number];
  /** Returns the exit code; 0 if it returns nothing. */
  run(call: StoreCall<F>): Promise<number | void> | number | void;
}

export interface StoreCall<F extends Flags> {
  readonly flags: FlagValues<F>;
  readonly words: readonly string[];
  readonly services: Services;
  readonly env: Environment;
  readonly signal: AbortSignal;
  /** The texts of files that errors may point into, by name. */
  readonly sources: Map<string, string>;
}

/** Makes a command: adds the help text, the options of the store, the services and cancelling. */
export function storeCommand<F extends Flags>({
  summary,
  usage,
  flags,
  takes: [least, most],
  run,
}: StoreCommand<F>): Command {
  const all = { ...flags, ...storeFlags };
  return {
    summary,
    usage,
    flags: all,
    async run(argv, env) {
      const { flags: common } = parseArgs<typeof shared>(argv, { ...all, ...shared });
      if (common.help === true) {
        env.stdout.write(helpOf({ usage, summary, flags: all }));
        return 0;
      }
      const { flags: own, positional: words } = parseArgs<F>(argv, all);
      if (words.length < least || words.length > most)
        throw new TbuildError('USAGE', `Usage: tbuild ${usage}`, {
          hint: `Run "tbuild ${usage.split(' ')[0]} --help" for the options`,
        });
      const { debug } = common;
      const opening = { root: storeRoot(common.root, env), registries: registryOptions(common), debug };
      const sources = new Map<string, string>();
      return onStore({ ...opening, sources }, env, async (services) => {
        const code = await interruptible(
          async (signal) => run({ flags: own, words, services, env, signal, sources }),
          'Command was cancelled',
        );
        return code ?? 0;
      });
    },
  };
}

interface StoreWork extends Pick<ServicesOptions, 'root' | 'registries'>, Partial<Pick<StoreCall<Flags>, 'sources'>> {
  readonly debug?: boolean;
}

/** Opens a store, works on it and closes it. Reports a failure here, where it can name the store. */
export async function onStore(
  { debug = false, sources, ...options }: StoreWork,
  env: Environment,
  work: (services: Services) => Promise<number>,
): Promise<number> {
  try {
    const services = createServices(options, env);
    try {
      return await work(services);
    } finally {
      await services.close();
    }
  } catch (error) {
    const sourceOf = (file: string) => sources?.get(file);
    const { columns } = env.stderr;
    env.stderr.write(await formatError(error, { debug, store: options.root, sourceOf, columns }));
    return exitCodeOf(error);
  }
}
