import { resolveUser } from '@tbuild/executor';
import type { ResultId, RunOp } from '@tbuild/graph';
import { hexOf } from '@tbuild/oci';
import { openLayeredTree } from '@tbuild/snapshot';
import type { Inputs, Op } from '@tbuild/solver';
import { takeTurn } from '@tbuild/store';
import { runParts } from '../copy/key-parts.ts';
import { gatherTrees } from '../gather-trees.ts';
import { keyOf } from '../key-of.ts';
import type { StepContext } from '../op-environment.ts';
import { prepareOn } from '../prepare-on.ts';
import { newResultId, isResultOf } from '../run-result.ts';
import { scheduleLayerPacking } from '../schedule-layer-packing.ts';
import type { KeyedMount } from './keyed-mount.ts';
import { parseHost } from './network-files.ts';
import { requirePlatform } from './require-platform.ts';
import { exited, memoryNote } from './run-end.ts';
import { keyMounts, openMounts } from './run-mounts.ts';
import { createStepFiles } from './step-files.ts';
import { openStepOutput } from './step-output.ts';

/** Creates the op of RUN. RUN is not deterministic, so its result is new, and the record maps the key to it. */
export function runOp(op: RunOp, context: StepContext): Op<ResultId> {
  return {
    async prepare({ base, sources }: Inputs<ResultId>, signal) {
      const mounts = await keyMounts(op.mounts, sources, { ...context, signal });
      const key = keyOf({
        op: { ...op, mounts: mounts.map((mount) => mount.key) },
        base: base?.result,
        ...keyedOptions(context),
      });
      const run = async (): Promise<ResultId> => {
        const result = newResultId(key);
        await runInto({ result, op, mounts, base: base?.result }, context, signal);
        scheduleLayerPacking(result, context);
        return result;
      };
      return {
        key,
        gather: () => gatherTrees([base?.result, ...mounts.map(shownResult)], context),
        run,
        takeTurn: () =>
          takeTurn(context.services.store.turn(key), { signal, onWait: (holder) => sayThatItWaits(holder, context) }),
        canGive: (result) => isResultOf(key, result),
        parts: () => runParts(op, mounts, base?.result, keyedOptions(context)),
      };
    },
  };
}

function sayThatItWaits(holder: string, { progress, step }: StepContext): void {
  const data = Buffer.from(`waiting for process ${holder}, which runs the same step\n`);
  progress.emit({ type: 'log', step: step.id, stream: 'stderr', data });
}

/** Returns the result that a mount shows. A cache mount reads its source only if the directory is new. */
function shownResult({ mount, result }: KeyedMount): ResultId | undefined {
  return mount.type === 'bind' ? result : undefined;
}

/**
 * Returns the key's part of the options for the whole build. The address of an extra host may change, its name may not.
 */
function keyedOptions({ extraHosts, ulimits, cgroupParent, shmSize }: StepContext): Readonly<Record<string, unknown>> {
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
  readonly mounts: readonly KeyedMount[];
  readonly base: ResultId | undefined;
}

async function runInto(
  { result, op, mounts: keyed, base }: KeyedRun,
  context: StepContext,
  signal: AbortSignal,
): Promise<void> {
  const { services, progress, step } = context;
  const executor = await services.executor();
  const needs = await requirePlatform(op.platform, services);
  const network = op.network === 'default' && context.network === 'pasta' ? 'pasta' : op.network;
  await using active = await prepareOn(base, context);
  await using files = createStepFiles(services.store);
  const { mounts, env, secrets } = await openMounts(
    keyed,
    files,
    { ...context, hostname: op.hostname, network },
    signal,
  );
  const tree = openLayeredTree([...active.lowers, active.upper], services.flavour);
  using output = openStepOutput(step.id, secrets, progress);
  const end = await executor.run(
    {
      root: { upper: active.upper, lowers: active.lowers, mount: active.mount },
      mounts: [...mounts, ...needs.mounts],
      process: {
        args: op.args,
        env: [...op.env, ...context.proxyEnv, ...env],
        cwd: op.cwd,
        user: resolveUser(tree, op.user),
      },
      hostname: op.hostname,
      network,
      security: op.security,
      shmSize: context.shmSize,
      limits: context.ulimits,
      handler: needs.handler,
      resources: context.resources,
      cgroupParent: context.cgroupParent,
    },
    output,
    signal,
  );
  const facts = { store: services.store, secrets, memory: context.resources?.memory };
  if (end.exitCode !== 0) throw exited(op, end, facts);
  if (end.reachedMemoryLimit) output.stderr(memoryNote(facts));
  await active.commit(hexOf(result));
}
