import {
  runBuild,
  runBuilds,
  type BuildRequest,
  type BuildResult,
  type BuildRun,
  type BuildTarget,
  type Services,
} from '@tbuild/builder';
import { createBuildRef } from '@tbuild/builds';
import type { SourceRange } from '@tbuild/errors';
import type { Graph, StepId } from '@tbuild/graph';
import type { Progress } from '@tbuild/progress';
import type { BuildSettings, BuildSpec } from '@tbuild/spec';
import { acquireLease, storeLayout, type Lease } from '@tbuild/store';
import { withinTarget } from '../bake/within-target.ts';
import type { Environment } from '../config/environment.ts';
import { makeStore, storeRoot } from '../config/store-root.ts';
import { buildRequest } from '../request/build-request.ts';
import { refuseSharing } from '../request/outputs.ts';
import { parseTimeLimit, withTimeLimit } from '../request/time-limit.ts';
import { makeStartSnapshot } from '../startup/start-snapshot.ts';
import { cacheLimits, tidyAfterBuild } from './after-build.ts';
import { createServices, thisPlatform } from './create-services.ts';
import { interruptible } from './interruptible.ts';
import { buildName, recorded } from './recorded-build.ts';
import { absoluteSettings, servicesOptions } from './services-options.ts';
import { waitAsStep } from './waiting-clock.ts';

/** What to build, and how. */
export interface AskedBuild {
  readonly spec: BuildSpec;
  readonly settings: BuildSettings;
}

/** What builds of one and of several targets have. */
interface Opened extends AsyncDisposable {
  readonly ref: string;
  readonly services: Services;
  /** Returns the variables of a RUN step that was planned: the record of the build may lack values. */
  variablesOf(step: string): readonly string[] | undefined;
}

/** A build that is ready to run and holds a lease. Disposing closes its connections and tidies the store. */
export interface OpenBuild extends Opened {
  /** The name that people read. */
  readonly name: string;
  readonly request: BuildRequest;
  /** Builds, until Ctrl-C or the time limit. */
  run(run: Omit<BuildRun, 'signal' | 'progress' | 'ref'>): Promise<BuildResult>;
}

/** Targets to build as one, and how. */
export interface AskedBake {
  readonly targets: readonly AskedTarget[];
  readonly settings: BuildSettings;
  /** The build of all targets fails when it takes longer than this. */
  readonly timeout?: string;
}

export interface AskedTarget extends Pick<BuildTarget, 'name' | 'isLink' | 'secretScope' | 'readSecret'> {
  readonly spec: BuildSpec;
  /** Where it is defined. */
  readonly location?: SourceRange;
}

/** A build of several targets that is ready to run and holds a lease. */
export interface OpenBake extends Opened {
  /** The name that people read. */
  readonly name: string;
  readonly targets: readonly BuildTarget[];
  /** Builds all targets, until Ctrl-C or the time limit. Returns the results by name. */
  run(run: Omit<BuildRun, 'signal' | 'progress' | 'ref' | 'readSecret'>): Promise<ReadonlyMap<string, BuildResult>>;
}

/**
 * Opens a build that the command line or a program asks for.
 * @throws TbuildError for every mistake that can be found before anything is built.
 */
export function openBuild({ spec, settings: given }: AskedBuild, env: Environment, progress: Progress): OpenBuild {
  return withLease(given, env, ({ root, lease, settings }) => {
    const request = buildRequest(spec, env, { host: thisPlatform(), root });
    const opened = openServices({ settings, root, lease, requests: [request], timeout: spec.timeout }, env, progress);
    const { ref, services, within, onPlanned, ...closing } = opened;
    const name = buildName(request);
    const asRecorded = { ref, name, requests: { '': request }, settings, services, onPlanned };
    return {
      ref,
      name,
      request,
      services,
      run: (run) =>
        recorded(asRecorded, { ...run, progress }, (followed) =>
          within((signal) => runBuild(request, services, { ...followed, ref, signal })),
        ),
      ...closing,
    };
  });
}

/**
 * Opens a build of several targets.
 * @throws TbuildError for every mistake that can be found before anything is built, with the name of the target.
 */
export function openBake(
  { targets: asked, settings: given, timeout }: AskedBake,
  env: Environment,
  progress: Progress,
): OpenBake {
  return withLease(given, env, ({ root, lease, settings }) => {
    const requested = asked.map(({ spec, location, ...target }) => {
      const read = (): BuildRequest => buildRequest(spec, env, { host: thisPlatform(), root });
      return { ...target, request: withinTarget({ name: target.name, location }, read) };
    });
    const requests = requested.map(({ request }) => request);
    refuseSharing(requests);
    const opened = openServices({ settings, root, lease, requests, timeout }, env, progress);
    const { ref, services, within, onPlanned, ...closing } = opened;
    const targets = requested.map((target) => ({ ...target, ref }));
    const made = targets.filter(({ isLink }) => !isLink);
    const name = made.map((target) => target.name).join(', ');
    const named = Object.fromEntries(targets.map((target) => [target.name, target.request]));
    const asRecorded = { ref, name, requests: named, settings, services, onPlanned };
    return {
      ref,
      name,
      targets,
      services,
      run: (run) =>
        recorded(asRecorded, { ...run, progress }, (followed) =>
          within((signal) => runBuilds(targets, services, { ...followed, signal })),
        ),
      ...closing,
    };
  });
}

interface Leased {
  readonly root: string;
  readonly lease: Lease;
  /** With absolute paths. */
  readonly settings: BuildSettings;
}

/** The lease comes first: it keeps other processes from removing what this build puts into the store. */
function withLease<T>(settings: BuildSettings, env: Environment, open: (leased: Leased) => T): T {
  const root = storeRoot(settings.root, env);
  makeStore(root, env);
  const lease = acquireLease(storeLayout(root));
  try {
    return open({ root, lease, settings: absoluteSettings(settings, env.cwd) });
  } catch (error) {
    lease[Symbol.dispose]();
    throw error;
  }
}

interface ToOpen extends Leased {
  readonly requests: readonly BuildRequest[];
  readonly timeout: string | undefined;
}

interface OpenServices extends Opened {
  onPlanned(graph: Graph): void;
  /** Runs work until Ctrl-C or the time limit. */
  within<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

function openServices(
  { settings, root, lease, requests, timeout }: ToOpen,
  env: Environment,
  progress: Progress,
): OpenServices {
  const timeLimit = parseTimeLimit(timeout);
  const services = createServices(
    {
      ...servicesOptions(root, settings, requests),
      warn: (message, detail) => progress.emit({ type: 'warning', message, detail }),
      showWait: waitAsStep(progress),
    },
    env,
  );
  const limits = cacheLimits(env);
  let planned: Graph | undefined;
  return {
    ref: createBuildRef(services.now()),
    services,
    onPlanned: (graph) => void (planned = graph),
    variablesOf(step) {
      const op = planned?.steps.get(step as StepId)?.op;
      return op?.kind === 'run' ? op.env : undefined;
    },
    within: (work) => interruptible((interrupted) => withTimeLimit(timeLimit, interrupted, work)),
    async [Symbol.asyncDispose]() {
      {
        using _lease = lease;
        await services.close();
      }
      tidyAfterBuild(services, limits);
      makeStartSnapshot(env);
    },
  };
}
