import { runBuild, type BuildRequest, type BuildResult, type BuildRun, type Services } from '@tbuild/builder';
import type { Progress } from '@tbuild/progress';
import type { BuildSettings, BuildSpec } from '@tbuild/spec';
import { acquireLease, storeLayout, type Lease } from '@tbuild/store';
import type { Environment } from '../config/environment.ts';
import { makeStore, storeRoot } from '../config/store-root.ts';
import { buildRequest } from '../request/build-request.ts';
import { insecureRegistries } from '../request/outputs.ts';
import { parseTimeLimit, withTimeLimit } from '../request/time-limit.ts';
import { makeStartSnapshot } from '../startup/start-snapshot.ts';
import { maxUsedSpace, tidyAfterBuild } from './after-build.ts';
import { createServices, thisPlatform } from './create-services.ts';
import { interruptible } from './interruptible.ts';
import { waitAsStep } from './waiting-clock.ts';

/** What to build, and how. */
export interface AskedBuild {
  readonly spec: BuildSpec;
  readonly settings: BuildSettings;
}

/** A build that is ready to run and holds a lease. Disposing closes its connections and tidies the store. */
export interface OpenBuild extends AsyncDisposable {
  readonly request: BuildRequest;
  readonly services: Services;
  /** Builds, until Ctrl-C or the time limit. */
  run(run: Omit<BuildRun, 'signal' | 'progress'>): Promise<BuildResult>;
}

/**
 * Opens a build that the command line or a program asks for.
 * @throws TbuildError for every mistake that can be found before anything is built.
 */
export function openBuild(asked: AskedBuild, env: Environment, progress: Progress): OpenBuild {
  const root = storeRoot(asked.settings.root, env);
  makeStore(root, env);
  // The lease comes first: it keeps other processes from removing what this build puts into the store.
  const lease = acquireLease(storeLayout(root));
  try {
    return openWith({ ...asked, root, lease }, env, progress);
  } catch (error) {
    lease[Symbol.dispose]();
    throw error;
  }
}

interface LeasedBuild extends AskedBuild {
  readonly root: string;
  readonly lease: Lease;
}

function openWith({ spec, settings, root, lease }: LeasedBuild, env: Environment, progress: Progress): OpenBuild {
  const timeLimit = parseTimeLimit(spec.timeout);
  const request = buildRequest(spec, env, { host: thisPlatform(), root });
  const services = createServices(
    {
      root,
      registries: {
        insecure: [...(settings.insecureRegistries ?? []), ...insecureRegistries(request)],
        mirrors: settings.registryMirrors,
        mirrorsOnly: settings.mirrorsOnly,
      },
      isolation: settings.isolation,
      warn: (message, detail) => progress.emit({ type: 'warning', message, detail }),
      showWait: waitAsStep(progress),
    },
    env,
  );
  const cap = maxUsedSpace(env);
  return {
    request,
    services,
    run: (run) =>
      interruptible((interrupted) =>
        withTimeLimit(timeLimit, interrupted, (signal) => runBuild(request, services, { ...run, progress, signal })),
      ),
    async [Symbol.asyncDispose]() {
      using _lease = lease;
      await services.close();
      await tidyAfterBuild(services, cap);
      makeStartSnapshot(env);
    },
  };
}
