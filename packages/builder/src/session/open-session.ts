import type { GcStore } from '@tbuild/gc';
import { afterRemovals, isOfThisBoot } from '@tbuild/store';
import type { BuildRun, Underway } from '../build-run.ts';
import { createImportedSteps, type ImportedSteps } from '../cache-transfer/imported-steps.ts';
import { openOutputs, type OpenOutput } from '../export/open-outputs.ts';
import type { Secrets } from '../ops/secrets.ts';
import { loadDefinition } from '../plan/load-definition.ts';
import type { BuildRequest, CacheImportSpec } from '../request.ts';
import type { Services } from '../services.ts';
import { resolveEpoch } from './epoch.ts';
import { fetchContext } from './fetch-context.ts';
import type { BuildInputs } from './inputs.ts';
import { openContexts } from './open-contexts.ts';

/** A build whose inputs are local and whose outputs are open. Disposing ends everything that it started. */
export interface Session extends Secrets, AsyncDisposable {
  readonly inputs: BuildInputs;
  readonly outputs: readonly OpenOutput[];
  /** The steps of imported caches. Complete once `imports` has settled. */
  readonly imported: ImportedSteps;
  readonly imports: Promise<void>;
  readonly underway: Underway;
}

/**
 * Opens a build: fetches its context, loads its Dockerfile and starts to read the imported caches.
 * @throws TbuildError for errors that are known before planning.
 */
export async function openSession(given: BuildRequest, services: Services, run: BuildRun): Promise<Session> {
  const { store } = services;
  const { progress } = run;
  const now = (): number => services.now();
  const startedAt = now();
  await afterRemovals(store, { now, signal: run.signal });
  if (!isOfThisBoot(store)) await dropUnsynced(services, run);
  const outputs = await openOutputs(given.outputs, services);
  const end = new AbortController();
  const readSecret = (id: string): Buffer | undefined => run.readSecret?.(id);
  const local = await fetchContext(given, services, { progress, now, signal: run.signal, readSecret });
  try {
    const underway = { progress, now, signal: AbortSignal.any([run.signal, end.signal]) };
    const { sources } = local;
    const loaded = await loadDefinition(local.request, { ...run, now });
    const { epoch, buildArgs } = await resolveEpoch({ loaded, given, sources }, services, { ...underway, readSecret });
    const request = { ...local.request, buildArgs };
    const contexts = openContexts({ request, loaded }, store, underway);
    const imported = createImportedSteps(services);
    const imports = importInto(imported, request.cacheFrom, { ...underway, services });
    // Planning awaits it. Until then a failure must not be an unhandled rejection.
    imports.catch(() => {});
    return {
      inputs: { request, given, loaded, contexts, sources, epoch, startedAt },
      outputs,
      imported,
      imports,
      underway,
      readSecret,
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
async function dropUnsynced(kept: Pick<GcStore, 'store' | 'content'>, { progress, signal }: BuildRun): Promise<void> {
  const count = await (await import('@tbuild/gc')).dropUnsynced(kept, signal);
  if (count === 0) return;
  const snapshots = count === 1 ? '1 unsynced snapshot was' : `${count} unsynced snapshots were`;
  progress.emit({
    type: 'warning',
    message: `Unclean shutdown: ${snapshots} discarded and will be rebuilt when needed`,
  });
}

/** Imports caches. Loads the code only for builds that do. */
async function importInto(
  imported: ImportedSteps,
  specs: readonly CacheImportSpec[],
  { services, ...underway }: Underway & { readonly services: Pick<Services, 'openRepository'> },
): Promise<void> {
  if (specs.length === 0) return;
  const { readCaches } = await import('../cache-transfer/read-caches.ts');
  for (const { contents, place } of await readCaches(specs, services, underway)) imported.add(contents, place);
}
