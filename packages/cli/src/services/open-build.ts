import {
  runBuild,
  type BuildRequest,
  type BuildResult,
  type BuildRun,
  type DockerfileSpec,
  type Worker,
} from '@tbuild/builder';
import type { Progress } from '@tbuild/progress';
import { acquireLease, storeLayout, type Lease } from '@tbuild/store';
import { maxUsedSpace, tidyAfterBuild } from './after-build.ts';
import type { FlagValues } from '../flags/args.ts';
import type { buildFlags } from '../flags/build-flags.ts';
import { buildRequest } from '../request/build-request.ts';
import { createWorker, thisPlatform } from './create-worker.ts';
import type { Environment } from '../config/environment.ts';
import { interruptible } from './interruptible.ts';
import { parseIsolation } from './isolation.ts';
import { insecureRegistries } from '../request/outputs.ts';
import { registryOptions } from '../flags/registry-flags.ts';
import { makeStartSnapshot } from '../startup/start-snapshot.ts';
import { makeStore, storeRoot } from '../config/store-root.ts';
import { parseTimeLimit, withTimeLimit } from '../request/time-limit.ts';
import { waitAsStep } from './waiting-clock.ts';

/** The options of `tbuild build` that were given. */
export type BuildFlags = FlagValues<typeof buildFlags>;

/** A build that is ready to run, and holds a lease; disposing ends its connections and tidies the store. */
export interface OpenBuild extends AsyncDisposable {
  readonly request: BuildRequest;
  readonly worker: Worker;
  /** Builds, until Ctrl-C or the time limit. */
  run(run: Omit<BuildRun, 'signal' | 'progress'>): Promise<BuildResult>;
}

/** What to build, in the words of the command line. */
export interface BuildWords {
  readonly flags: BuildFlags;
  readonly positional: readonly string[];
  /** Instead of the one that the flags name. */
  readonly dockerfile?: DockerfileSpec;
}

/**
 * The build that options of the command line stand for.
 * @throws TbuildError for what can be known to fail before anything is built.
 */
export function openBuild(words: BuildWords, env: Environment, progress: Progress): OpenBuild {
  const root = storeRoot(words.flags.root, env);
  makeStore(root, env);
  // Before anything is put into the store, so that nothing else sweeps it away.
  const lease = acquireLease(storeLayout(root));
  try {
    return openWith(lease, words, env, progress);
  } catch (error) {
    lease[Symbol.dispose]();
    throw error;
  }
}

function openWith(
  lease: Lease,
  { flags, positional, dockerfile }: BuildWords,
  env: Environment,
  progress: Progress,
): OpenBuild {
  const timeLimit = parseTimeLimit(flags.timeout);
  const read = buildRequest(flags, positional, env, thisPlatform());
  const request = dockerfile === undefined ? read : { ...read, dockerfile };
  const given = registryOptions(flags);
  const worker = createWorker(
    {
      root: storeRoot(flags.root, env),
      registries: { ...given, insecure: [...given.insecure, ...insecureRegistries(request)] },
      isolation: parseIsolation(flags.isolation),
      warn: (message, detail) => progress.emit({ type: 'warning', message, detail }),
      showWait: waitAsStep(progress),
    },
    env,
  );
  const cap = maxUsedSpace(env);
  return {
    request,
    worker,
    run: (run) =>
      interruptible((interrupted) =>
        withTimeLimit(timeLimit, interrupted, (signal) => runBuild(request, worker, { ...run, progress, signal })),
      ),
    async [Symbol.asyncDispose]() {
      using _lease = lease;
      await worker.close();
      await tidyAfterBuild(worker, cap);
      makeStartSnapshot(env);
    },
  };
}
