import type { LayerPreparation, StepResults } from '@tbuild/layers';
import type { Underway } from '../build-run.ts';
import { type ImportedSteps, importMount } from '../cache-transfer/imported-steps.ts';
import type { OpPorts } from '../ops/resolve-op.ts';
import type { PlannedTarget } from '../plan/plan-targets.ts';
import type { Services } from '../services.ts';
import type { StepRoles } from './step-roles.ts';

/** What solving uses: the cache, the stores of results, and what the ops use. */
export type SolvePorts = Pick<
  Services,
  | 'store'
  | 'content'
  | 'snapshots'
  | 'flavour'
  | 'unpackLimits'
  | 'differ'
  | 'cache'
  | 'layerSubprocess'
  | 'openRepository'
  | 'openWeb'
  | 'runProgram'
  | 'idleTimeoutMs'
  | 'gitConnection'
  | 'executor'
  | 'network'
  | 'resolvConf'
  | 'certificates'
  | 'singleId'
  | 'cdiDevices'
  | 'platform'
  | 'searchPath'
  | 'secretKey'
>;

/** What the ops of a target share with others. */
export interface SharedByOps
  extends Omit<Underway, 'observer'>, StepRoles, Pick<OpPorts, 'emulators' | 'discardedCaches' | 'observer'> {
  readonly results: StepResults;
  readonly preparation: LayerPreparation;
  readonly cachePreparation: LayerPreparation;
  readonly imported: ImportedSteps;
}

/** Collects the ports of the ops of a target. */
export function opPorts(
  { session, plan: { plans } }: PlannedTarget,
  ports: SolvePorts,
  { signal, imported, ...shared }: SharedByOps,
): OpPorts {
  const { request, contexts, sources, loaded, epoch, startedAt } = session.inputs;
  const { extraHosts, network, shmSize, ulimits, resources, cgroupParent, logMax, fakeIds, cacheTtl } = request;
  const { progress, now } = shared;
  const { differ } = ports;
  return {
    ...ports,
    ...shared,
    contexts,
    sources,
    readSecret: session.readSecret,
    rebuildSecrets: request.rebuildSecrets,
    importsCaches: request.cacheFrom.length > 0,
    outlineOf: imported.outlineOf,
    settings: {
      allow: request.allow,
      extraHosts,
      network,
      shmSize,
      ulimits,
      resources,
      cgroupParent,
      logMax,
      fakeIds,
      notBefore: cacheTtl === undefined ? undefined : startedAt - cacheTtl,
      proxyEnv: plans[0]?.proxyEnv ?? [],
    },
    sourcePolicy: request.sourcePolicy,
    ssh: request.ssh,
    importMount: (name, directory) => importMount({ name, directory }, imported, { differ, progress, signal }),
    epoch,
    dockerfileTime: epoch ?? loaded.changedAt ?? now(),
  };
}
