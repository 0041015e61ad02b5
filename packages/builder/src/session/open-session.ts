import { afterRemovals, isOfThisBoot } from '@tbuild/store';
import type { BuildEnvironment, BuildRun } from '../build-run.ts';
import { createImportedSteps, type ImportedSteps } from '../cache-transfer/imported-steps.ts';
import { openOutputs, type OpenOutput } from '../export/run-exports.ts';
import { loadDefinition } from '../plan/load-definition.ts';
import type { LoadedDockerfile } from '../plan/load-dockerfile.ts';
import type { BuildRequest } from '../request.ts';
import type { Services } from '../services.ts';
import type { Contexts } from './contexts.ts';
import { resolveEpoch } from './epoch.ts';
import { fetchContext } from './fetch-context.ts';
import { openContexts } from './open-contexts.ts';
import type { ResolvedSources } from './resolved-sources.ts';

/** A build whose inputs are local and whose outputs are open. Disposing ends everything that it started. */
export interface Session extends BuildEnvironment, AsyncDisposable {
  /** The request, with a directory as its main context and a number as SOURCE_DATE_EPOCH. */
  readonly request: BuildRequest;
  /** The request as given, before anything was fetched. */
  readonly given: BuildRequest;
  readonly loaded: LoadedDockerfile;
  /** The sources on other machines that were read so far. */
  readonly sources: ResolvedSources;
  readonly contexts: Contexts;
  readonly outputs: readonly OpenOutput[];
  /** The steps of imported caches. Complete once `imports` has settled. */
  readonly imported: ImportedSteps;
  readonly imports: Promise<void>;
  /** `SOURCE_DATE_EPOCH` in milliseconds. */
  readonly epoch?: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/**
 * Opens a build: fetches its context, loads its Dockerfile and starts to read the imported caches.
 * @throws TbuildError for errors that are known before planning.
 */
export async function openSession(given: BuildRequest, services: Services, run: BuildRun): Promise<Session> {
  const now = (): number => services.now();
  const startedAt = now();
  await afterRemovals(services.store, { now, signal: run.signal });
  if (!isOfThisBoot(services.store)) await dropUnsynced(services, run);
  const outputs = await openOutputs(given, services);
  const end = new AbortController();
  const local = await fetchContext(given, services, run);
  try {
    const signal = AbortSignal.any([run.signal, end.signal]);
    const fetched: BuildEnvironment = { ...run, signal, request: local.request, services, now };
    const loaded = await loadDefinition(fetched);
    const { sources } = local;
    const { epoch, buildArgs } = await resolveEpoch({ loaded, given, sources }, fetched);
    const env: BuildEnvironment = { ...fetched, request: { ...local.request, buildArgs } };
    const contexts = openContexts(loaded, env);
    const imported = createImportedSteps(services);
    const imports = importInto(imported, env);
    // Planning awaits it. Until then a failure must not be an unhandled rejection.
    imports.catch(() => {});
    return {
      ...env,
      given,
      loaded,
      sources,
      contexts,
      outputs,
      imported,
      imports,
      epoch,
      startedAt,
      async [Symbol.asyncDispose]() {
        end.abort();
        await imports.catch(() => {});
        await local[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await local[Symbol.asyncDispose]();
    throw error;
  }
}

/** Discards unsynced snapshots. Loads the code only for the first build after a boot. */
async function dropUnsynced(services: Services, { progress, signal }: BuildRun): Promise<void> {
  const count = await (await import('@tbuild/gc')).dropUnsynced(services, signal);
  if (count === 0) return;
  const snapshots = count === 1 ? '1 unsynced snapshot was' : `${count} unsynced snapshots were`;
  progress.emit({
    type: 'warning',
    message: `Unclean shutdown: ${snapshots} discarded and will be rebuilt when needed`,
  });
}

/** Imports caches. Loads the code only for builds that do. */
async function importInto(imported: ImportedSteps, env: BuildEnvironment): Promise<void> {
  if (env.request.cacheFrom.length > 0)
    await (await import('../cache-transfer/import-caches.ts')).importCaches(imported, env);
}
