import type { GcStore } from '@tbuild/gc';
import { canonicalJson } from '@tbuild/oci';
import { afterRemovals, isOfThisBoot } from '@tbuild/store';
import type { BuildRun, Underway } from '../build-run.ts';
import type { BuildTarget } from '../build-target.ts';
import { createImportedSteps, type ImportedSteps } from '../cache-transfer/imported-steps.ts';
import type { BuildRequest, CacheImportSpec } from '../request.ts';
import type { Services } from '../services.ts';
import { createContextPool } from './contexts.ts';
import { openTarget, type OpenTargetOptions, type TargetSession } from './open-target.ts';
import { createResolvedSources } from './resolved-sources.ts';

/** A build whose inputs are local and whose outputs are open. Disposing ends everything that it started. */
export interface Session extends AsyncDisposable {
  readonly targets: readonly TargetSession[];
  /** The steps of imported caches. Complete once `imports` has settled. */
  readonly imported: ImportedSteps;
  readonly imports: Promise<void>;
  readonly underway: Underway;
}

/**
 * Opens a build: fetches the contexts, loads the Dockerfiles and starts to read the imported caches.
 * @throws TbuildError for errors that are known before planning.
 */
export async function openSession(given: readonly BuildTarget[], services: Services, run: BuildRun): Promise<Session> {
  const { store } = services;
  const now = (): number => services.now();
  const startedAt = now();
  await afterRemovals(store, { now, signal: run.signal });
  if (!isOfThisBoot(store)) await dropUnsynced(services, run);
  const end = new AbortController();
  const { progress, observer } = run;
  const underway = { progress, observer, now, signal: AbortSignal.any([run.signal, end.signal]) };
  const shared = {
    ...underway,
    pool: createContextPool(),
    sources: createResolvedSources(),
    isOneOfMany: given.length > 1,
    startedAt,
    onDefinition: run.onDefinition,
    withProvenance: run.withProvenance,
    definitions: new Map(),
  };
  const targets = await openTargets(given, services, shared);
  const imported = createImportedSteps(services);
  warnOfUnknownCaches(
    targets.map(({ inputs }) => inputs.request),
    run.progress,
  );
  const caches = distinct(targets.flatMap(({ inputs }) => inputs.request.cacheFrom));
  const imports = importInto(imported, caches, { ...underway, services });
  // Planning awaits it. Until then a failure must not be an unhandled rejection.
  imports.catch(() => {});
  return {
    targets,
    imported,
    imports,
    underway,
    async [Symbol.asyncDispose]() {
      end.abort();
      await imports.catch(() => {});
      await closeTargets(targets);
    },
  };
}

/** Opens targets one after the other, so that what several of them fetch is fetched once. */
async function openTargets(
  given: readonly BuildTarget[],
  services: Services,
  shared: OpenTargetOptions,
): Promise<readonly TargetSession[]> {
  const opened: TargetSession[] = [];
  try {
    for (const target of given) opened.push(await openTarget(target, services, shared));
    return opened;
  } catch (error) {
    await closeTargets(opened);
    throw error;
  }
}

async function closeTargets(targets: readonly TargetSession[]): Promise<void> {
  for (const target of targets) await target[Symbol.asyncDispose]();
}

function distinct(specs: readonly CacheImportSpec[]): readonly CacheImportSpec[] {
  return [...new Map(specs.map((spec) => [canonicalJson(spec), spec])).values()];
}

/** Warns once of each type of cache that tbuild does not have. */
function warnOfUnknownCaches(requests: readonly BuildRequest[], { emit }: BuildRun['progress']): void {
  const specs = requests.flatMap(({ cacheFrom, cacheTo }) => [...cacheFrom, ...cacheTo]);
  for (const name of new Set(specs.flatMap((spec) => (spec.type === 'unknown' ? [spec.name] : []))))
    emit({
      type: 'warning',
      message: `Caches of type ${name} are not supported: the build goes on without`,
      detail: 'Use type=registry, local, s3 or azblob',
    });
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
  { services, ...underway }: Underway & { readonly services: Pick<Services, 'openRepository' | 'openBucket'> },
): Promise<void> {
  const readable = specs.filter((spec) => spec.type !== 'unknown');
  if (readable.length === 0) return;
  const { readCaches } = await import('../cache-transfer/read-caches.ts');
  for (const { contents, place } of await readCaches(readable, services, underway)) imported.add(contents, place);
}
