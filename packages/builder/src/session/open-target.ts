import type { GraphTarget } from '@tbuild/graph';
import { canonicalJson } from '@tbuild/oci';
import type { BuildRun, Underway } from '../build-run.ts';
import type { BuildTarget } from '../build-target.ts';
import { requireCaches } from '../cache-transfer/cache-consumers.ts';
import { openOutputs, type OpenOutput } from '../export/open-outputs.ts';
import type { Secrets } from '../ops/secrets.ts';
import { loadDefinition } from '../plan/load-definition.ts';
import type { Definition, LoadedDockerfile } from '../plan/load-dockerfile.ts';
import type { BuildRequest } from '../request.ts';
import type { Services } from '../services.ts';
import { contextIdentity, type ContextPool, MAIN_CONTEXT } from './contexts.ts';
import { distinctName } from './distinct-name.ts';
import { type EpochPorts, resolveEpoch } from './epoch.ts';
import { fetchContext, type FetchPorts } from './fetch-context.ts';
import type { BuildInputs } from './inputs.ts';
import { openContexts } from './open-contexts.ts';
import type { ResolvedSources } from './resolved-sources.ts';
import { targetProgress } from './target-progress.ts';

/** A target whose inputs are local and whose outputs are open. */
export interface TargetSession extends Secrets, AsyncDisposable {
  readonly name: string;
  readonly isLink: boolean;
  /** Its place in a graph for several targets. */
  readonly place?: GraphTarget;
  readonly inputs: BuildInputs;
  readonly outputs: readonly OpenOutput[];
  readonly underway: Underway;
}

/** What the targets of a build have in common. */
export interface OpenTargetOptions extends Underway, Pick<BuildRun, 'onDefinition' | 'withProvenance'> {
  readonly pool: ContextPool;
  readonly sources: ResolvedSources;
  /** Whether there are other targets. */
  readonly isOneOfMany: boolean;
  readonly startedAt: number;
  /** The texts of the Dockerfiles so far, by the names that locations refer to. */
  readonly definitions: Map<string, string>;
}

/** What opening a target uses. */
export type TargetPorts = FetchPorts & EpochPorts & Pick<Services, 'createExporters'>;

/**
 * Opens a target: its outputs, its context and its Dockerfile.
 * @throws TbuildError for errors that are known before planning.
 */
export async function openTarget(
  { name, ref, request: given, isLink, secretScope, readSecret: read }: BuildTarget,
  ports: TargetPorts,
  {
    pool,
    sources,
    isOneOfMany,
    startedAt,
    onDefinition,
    withProvenance = false,
    definitions,
    ...shared
  }: OpenTargetOptions,
): Promise<TargetSession> {
  const underway = isOneOfMany ? { ...shared, progress: targetProgress(name, shared.progress) } : shared;
  const readSecret = (id: string): Buffer | undefined => read?.(id);
  await requireCaches(given);
  const outputs = isLink ? [] : await openOutputs(given.outputs, ports);
  const local = await fetchContext(given, ports, { ...underway, readSecret, sources });
  try {
    const nameOf = (definition: Definition): string => distinctName(definition, name, definitions);
    const loaded = await loadDefinition(local.request, { ...underway, onDefinition, nameOf });
    const { epoch, buildArgs } = await resolveEpoch({ loaded, given, sources }, ports, { ...underway, readSecret });
    const request = { ...local.request, buildArgs };
    const contexts = openContexts({ request, loaded }, ports.store, { ...underway, pool });
    const scope = scopeOf(request, loaded, { epoch, secretScope });
    return {
      name,
      isLink,
      ...(isOneOfMany ? { place: { name, scope } } : {}),
      inputs: { ref, request, given, withProvenance, loaded, contexts, sources, epoch, startedAt },
      outputs,
      underway,
      readSecret,
      [Symbol.asyncDispose]: () => local[Symbol.asyncDispose](),
    };
  } catch (error) {
    await local[Symbol.asyncDispose]();
    throw error;
  }
}

/** Returns a text that stands for all that the target's steps depend on besides their ops and inputs. */
function scopeOf(
  { context, namedContexts, ...request }: BuildRequest,
  { path }: LoadedDockerfile,
  others: { readonly epoch?: number; readonly secretScope: string },
): string {
  const { network, extraHosts, ssh, shmSize, ulimits, resources, cgroupParent, ignoreFile, sourcePolicy } = request;
  const { fakeIds, rebuildSecrets, cacheTtl } = request;
  const contexts = Object.entries(namedContexts).map(([name, spec]) => [name, contextIdentity(spec, undefined)]);
  return canonicalJson({
    contexts: Object.fromEntries([...contexts, [MAIN_CONTEXT, contextIdentity(context, path, ignoreFile)]]),
    settings: { network, extraHosts, ssh, shmSize, ulimits, resources, cgroupParent, sourcePolicy },
    results: { fakeIds, rebuildSecrets, cacheTtl },
    ...others,
  });
}
