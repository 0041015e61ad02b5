import { TbuildError } from '@tbuild/errors';
import { type Executor, type JoinedNetwork, type ProcessUser, resolveUser, type Sandbox } from '@tbuild/executor';
import type { ResultId, RunOp, Step } from '@tbuild/graph';
import { hexOf } from '@tbuild/oci';
import { type ActiveSnapshot, type LayeredTree, openLayeredTree } from '@tbuild/snapshot';
import type { Inputs, Op } from '@tbuild/solver';
import { type StoreLayout, takeTurn } from '@tbuild/store';
import { withoutAliases } from '../../devices/cdi-devices.ts';
import type { CdiDevice } from '../../devices/cdi-spec.ts';
import { stepDevices, type StepDevices } from '../../devices/step-devices.ts';
import type { BuildRequest } from '../../request.ts';
import type { FilePorts } from '../copy/file-input.ts';
import { runParts } from '../copy/key-parts.ts';
import { type ImageLayers, scheduleLayerPacking } from '../image-layers.ts';
import { keyOf } from '../key-of.ts';
import { newResultId, isResultOf } from '../run-result.ts';
import { gatherTrees, prepareOn } from '../trees.ts';
import { keepFailedTree, type KeepPorts } from './keep-failed-tree.ts';
import { linkerCacheFor } from './linker-cache.ts';
import type { KeyedMount } from './mounts/keyed-mount.ts';
import { keyMounts, type MountPorts, type OpenMounts, openMounts } from './mounts/run-mounts.ts';
import { networkFiles, parseHost } from './network-files.ts';
import { type Emulators, type PlatformNeeds, requirePlatform } from './require-platform.ts';
import { exited, memoryNote } from './run-end.ts';
import { stepUser } from './single-id.ts';
import { additionsTo, type StepAdditions, without } from './step-additions.ts';
import type { Certificates } from './step-certificates.ts';
import { createStepFiles, type StepFiles } from './step-files.ts';
import { openStepOutput } from './step-output.ts';

/** The options of a build for all RUN steps. */
export interface RunSettings extends Pick<
  BuildRequest,
  'allow' | 'extraHosts' | 'network' | 'shmSize' | 'ulimits' | 'resources' | 'cgroupParent' | 'logMax' | 'fakeIds'
> {
  /** Proxy variables, which are not part of a key. */
  readonly proxyEnv: readonly string[];
  /** Results that were made before this time are not used. Milliseconds since the epoch. */
  readonly notBefore?: number;
}

/** The network that the steps of a build share, isolated from the machine's. */
export interface StepNetwork {
  /** Starts it in the background, unless it is started. */
  start(): void;
  /**
   * Returns the network when it is ready, or undefined where this machine does not allow one.
   * @throws TbuildError UNSUPPORTED if it is required.
   */
  join(options: { readonly isRequired: boolean; readonly signal: AbortSignal }): Promise<JoinedNetwork | undefined>;
}

/** What RUN uses. */
export interface RunPorts extends FilePorts, MountPorts, Pick<KeepPorts, 'observer'>, Omit<ImageLayers, 'leafSteps'> {
  readonly store: Pick<StoreLayout, 'root' | 'run' | 'cacheMount' | 'trash' | 'turn' | 'secretKey' | 'temporary'>;
  readonly settings: RunSettings;
  readonly emulators: Emulators;
  /**
   * Returns the executor.
   * @throws TbuildError UNSUPPORTED if this machine allows no isolation.
   */
  executor(): Promise<Executor>;
  /** Why steps have only one id, and what would give them more; undefined where they have more. */
  readonly singleId?: string;
  /** Returns the devices of this machine that have a CDI specification. */
  cdiDevices(): Promise<readonly CdiDevice[]>;
  /** What steps trust beside the certificates of their image. */
  readonly certificates?: Certificates;
  readonly network: StepNetwork;
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
        notBefore: ports.settings.notBefore,
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
function keyedOptions({
  extraHosts,
  ulimits,
  cgroupParent,
  shmSize,
  fakeIds,
}: RunSettings): Readonly<Record<string, unknown>> {
  const names = extraHosts.map((text) => parseHost(text).host);
  return {
    ...(names.length === 0 ? {} : { hosts: names }),
    ...(ulimits.length === 0 ? {} : { ulimits }),
    ...(cgroupParent === undefined ? {} : { cgroupParent }),
    ...(shmSize === undefined ? {} : { shmSize }),
    ...(fakeIds ? { fakeIds } : {}),
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

async function networkOf(
  { network }: RunOp,
  { settings, ...ports }: RunPorts,
  signal: AbortSignal,
): Promise<Sandbox['network']> {
  if (network !== 'default') return network;
  return (await ports.network.join({ isRequired: settings.network === 'pasta', signal })) ?? 'host';
}

async function runInto(run: KeyedRun, ports: RunPorts, signal: AbortSignal): Promise<void> {
  const { op, step, result } = run;
  const { settings, store } = ports;
  if (op.network === 'default') ports.network.start();
  const executor = await ports.executor();
  const work = async ({ sandbox, active, tree, secrets, added, missing }: OpenSandbox): Promise<void> => {
    using output = openStepOutput(step.id, { secrets, most: settings.logMax, progress: ports.progress });
    for (const name of missing) output.stderr(missingDeviceNote(name));
    const end = await executor.run(sandbox, output, signal);
    added.takeBack();
    const facts = { store, secrets, memory: settings.resources?.memory, singleId: ports.singleId };
    if (end.exitCode !== 0) {
      output.showTail();
      const isIsolated = sandbox.network !== 'host';
      const error = exited(op, end, { ...facts, tree, tail: output.tail(), isIsolated });
      await keepFailedTree(active, { step, tree: result }, ports);
      throw error;
    }
    if (end.memory.reachedLimit) output.stderr(memoryNote(facts));
    await active.commit(hexOf(result));
  };
  await inSandbox(run, ports, { signal, work });
}

/** A sandbox with its tree, which is discarded unless it is committed. */
export interface OpenSandbox {
  readonly sandbox: Sandbox;
  readonly active: ActiveSnapshot;
  readonly tree: LayeredTree;
  readonly files: StepFiles;
  /** Values to mask in all output. */
  readonly secrets: readonly Uint8Array[];
  readonly added: StepAdditions;
  /** Optional devices that this machine lacks. */
  readonly missing: readonly string[];
}

/** Opens the sandbox of a RUN on its base for some work. */
export async function inSandbox<T>(
  run: Omit<KeyedRun, 'result'>,
  ports: RunPorts,
  { signal, work }: { readonly signal: AbortSignal; work(open: OpenSandbox): Promise<T> },
): Promise<T> {
  const { op, step } = run;
  const { settings, store, flavour, certificates, singleId } = ports;
  const needs = await requirePlatform(op.platform, ports.emulators);
  await using active = await prepareOn(run.base, ports);
  await using files = createStepFiles(store);
  const mounted = await openMounts(run.mounts, { step, files, signal }, ports);
  const network = await networkOf(op, ports, signal);
  const tree = openLayeredTree([...active.lowers, active.upper], flavour);
  const { fakeIds } = settings;
  const user = stepUser(resolveUser(tree, op.user), { singleId, fakeIds });
  const found = await openDevices(run, ports, signal);
  const added = additionsTo(op, { certificates, fakeIds, ...found }, { active, tree, flavour, files });
  const sandbox = sandboxOf(op, { needs, files, mounted, added, user, network }, ports);
  const missing = found?.devices.missing ?? [];
  return await work({ sandbox, active, tree, files, secrets: mounted.secrets, added, missing });
}

/**
 * Returns what the devices of a step give it; undefined for a step without.
 * @throws TbuildError UNSUPPORTED for a device that is not there, or an isolation that cannot give any.
 */
async function openDevices(
  { op, base }: Pick<KeyedRun, 'op' | 'base'>,
  ports: RunPorts,
  signal: AbortSignal,
): Promise<{ readonly devices: StepDevices; readonly linkerCache?: Uint8Array } | undefined> {
  if (op.devices === undefined) return undefined;
  const devices = stepDevices(withoutAliases(op.devices, ports.settings.allow), await ports.cdiDevices());
  const executor = await ports.executor();
  if (devices.mounts.length > 0 && executor.name !== 'namespace')
    throw new TbuildError('UNSUPPORTED', `Steps have no devices of this machine with --isolation ${executor.name}`, {
      hint: 'Use --isolation namespace',
    });
  if (devices.libraries.length === 0) return { devices };
  await using scratch = await prepareOn(base, ports);
  return { devices, linkerCache: await linkerCacheFor(devices, { scratch, flavour: ports.flavour, executor }, signal) };
}

function missingDeviceNote(name: string): Uint8Array {
  return Buffer.from(`Optional device ${JSON.stringify(name)} is not registered\n`);
}

/** The parts of a sandbox. */
interface SandboxParts extends Pick<Sandbox, 'network'> {
  readonly needs: PlatformNeeds;
  readonly files: StepFiles;
  readonly mounted: Pick<OpenMounts, 'mounts' | 'env'>;
  readonly added: StepAdditions;
  readonly user: ProcessUser;
}

function sandboxOf(
  op: RunOp,
  { needs, files, mounted, added, user, network }: SandboxParts,
  { settings, resolvConf }: RunPorts,
): Sandbox {
  const { proxyEnv, shmSize, ulimits, resources, cgroupParent, extraHosts, fakeIds } = settings;
  const { hostname, security } = op;
  const networking = networkFiles(files, { resolvConf, extraHosts, hostname, network });
  const own = [...op.env, ...proxyEnv, ...added.env];
  const env = [...without(own, added.overrides), ...added.overrides, ...mounted.env];
  return {
    root: added.root,
    mounts: [...networking, ...added.mounts, ...mounted.mounts, ...needs.mounts],
    process: { args: op.args, env, cwd: op.cwd, user },
    hostname,
    network,
    security,
    fakeIds,
    shmSize,
    limits: ulimits,
    handler: needs.handler,
    resources,
    cgroupParent,
  };
}
