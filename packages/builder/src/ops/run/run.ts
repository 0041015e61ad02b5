import { type Executor, resolveUser } from '@tbuild/executor';
import type { ResultId, RunOp, Step } from '@tbuild/graph';
import { hexOf } from '@tbuild/oci';
import { openLayeredTree } from '@tbuild/snapshot';
import type { Inputs, Op } from '@tbuild/solver';
import { type StoreLayout, takeTurn } from '@tbuild/store';
import type { BuildRequest } from '../../request.ts';
import type { FilePorts } from '../copy/file-input.ts';
import { runParts } from '../copy/key-parts.ts';
import { type ImageLayers, scheduleLayerPacking } from '../image-layers.ts';
import { keyOf } from '../key-of.ts';
import { newResultId, isResultOf } from '../run-result.ts';
import { gatherTrees, prepareOn } from '../trees.ts';
import { keepFailedTree, type KeepPorts } from './keep-failed-tree.ts';
import type { KeyedMount } from './mounts/keyed-mount.ts';
import { keyMounts, type MountPorts, openMounts } from './mounts/run-mounts.ts';
import { networkFiles, parseHost } from './network-files.ts';
import { type Emulators, requirePlatform } from './require-platform.ts';
import { exited, memoryNote } from './run-end.ts';
import { createStepFiles } from './step-files.ts';
import { openStepOutput } from './step-output.ts';

/** The options of a build for all RUN steps. */
export interface RunSettings extends Pick<
  BuildRequest,
  'extraHosts' | 'network' | 'shmSize' | 'ulimits' | 'resources' | 'cgroupParent' | 'logMax'
> {
  /** Proxy variables, which are not part of a key. */
  readonly proxyEnv: readonly string[];
}

/** What RUN uses. */
export interface RunPorts extends FilePorts, MountPorts, Pick<KeepPorts, 'observer'>, Omit<ImageLayers, 'leafSteps'> {
  readonly store: Pick<StoreLayout, 'root' | 'run' | 'cacheMount' | 'trash' | 'turn'>;
  readonly settings: RunSettings;
  readonly emulators: Emulators;
  /**
   * Returns the executor.
   * @throws TbuildError UNSUPPORTED if this machine allows no isolation.
   */
  executor(): Promise<Executor>;
  /** Returns the machine's /etc/resolv.conf, from which that of the steps is made. */
  resolvConf(): string;
}

/** Creates the op of RUN. RUN is not deterministic, so its result is new, and the record maps the key to it. */
export function runOp(op: RunOp, step: Step, ports: RunPorts): Op<ResultId> {
  const options = keyedOptions(ports.settings);
  return {
    async prepare({ base, sources }: Inputs<ResultId>, signal) {
      const mounts = await keyMounts({ mounts: op.mounts, sources }, ports, signal);
      const key = keyOf({ op: { ...op, mounts: mounts.map((mount) => mount.key) }, base: base?.result, ...options });
      const run = async (): Promise<ResultId> => {
        const result = newResultId(key);
        await runInto({ result, op, step, mounts, base: base?.result }, ports, signal);
        scheduleLayerPacking(result, step, ports);
        return result;
      };
      return {
        key,
        gather: () => gatherTrees([base?.result, ...mounts.map(shownResult)], ports),
        run,
        takeTurn: () =>
          takeTurn(ports.store.turn(key), { signal, onWait: (holder) => sayThatItWaits(holder, step, ports) }),
        canGive: (result) => isResultOf(key, result),
        parts: () => runParts(op, { base: base?.result, mounts, options }),
      };
    },
  };
}

function sayThatItWaits(holder: string, { id: step }: Step, { progress }: Pick<RunPorts, 'progress'>): void {
  const data = Buffer.from(`waiting for process ${holder}, which runs the same step\n`);
  progress.emit({ type: 'log', step, stream: 'stderr', data });
}

/** Returns the result that a mount shows. A cache mount reads its source only if the directory is new. */
function shownResult({ mount, result }: KeyedMount): ResultId | undefined {
  return mount.type === 'bind' ? result : undefined;
}

/** Returns the key's part of the settings. The address of an extra host may change, its name may not. */
function keyedOptions({ extraHosts, ulimits, cgroupParent, shmSize }: RunSettings): Readonly<Record<string, unknown>> {
  const names = extraHosts.map((text) => parseHost(text).host);
  return {
    ...(names.length === 0 ? {} : { hosts: names }),
    ...(ulimits.length === 0 ? {} : { ulimits }),
    ...(cgroupParent === undefined ? {} : { cgroupParent }),
    ...(shmSize === undefined ? {} : { shmSize }),
  };
}

/** A RUN whose mounts are keyed. */
interface KeyedRun {
  readonly result: ResultId;
  readonly op: RunOp;
  readonly step: Step;
  readonly mounts: readonly KeyedMount[];
  readonly base: ResultId | undefined;
}

async function runInto(
  { result, op, step, mounts: keyed, base }: KeyedRun,
  ports: RunPorts,
  signal: AbortSignal,
): Promise<void> {
  const { settings, store, flavour, resolvConf } = ports;
  const { proxyEnv, shmSize, ulimits, resources, cgroupParent, extraHosts, logMax } = settings;
  const executor = await ports.executor();
  const needs = await requirePlatform(op.platform, ports.emulators);
  const network = op.network === 'default' && settings.network === 'pasta' ? 'pasta' : op.network;
  await using active = await prepareOn(base, ports);
  await using files = createStepFiles(store);
  const { upper, lowers, mount } = active;
  const { mounts, env, secrets } = await openMounts(keyed, { step, files, signal }, ports);
  const networking = networkFiles(files, { resolvConf, extraHosts, hostname: op.hostname, network });
  const tree = openLayeredTree([...lowers, upper], flavour);
  const user = resolveUser(tree, op.user);
  using output = openStepOutput(step.id, { secrets, most: logMax, progress: ports.progress });
  const end = await executor.run(
    {
      root: { upper, lowers, mount },
      mounts: [...networking, ...mounts, ...needs.mounts],
      process: { args: op.args, env: [...op.env, ...proxyEnv, ...env], cwd: op.cwd, user },
      hostname: op.hostname,
      network,
      security: op.security,
      shmSize,
      limits: ulimits,
      handler: needs.handler,
      resources,
      cgroupParent,
    },
    output,
    signal,
  );
  const facts = { store, secrets, memory: resources?.memory };
  if (end.exitCode !== 0) {
    output.showTail();
    const error = exited(op, end, { ...facts, tree, tail: output.tail() });
    await keepFailedTree(active, { step, tree: result }, ports);
    throw error;
  }
  if (end.reachedMemoryLimit) output.stderr(memoryNote(facts));
  await active.commit(hexOf(result));
}
