import type { Sandbox } from '@tbuild/executor';
import { type Graph, type ImageOp, type ResultId, type RunMount, type RunOp, type Step, stepKey } from '@tbuild/graph';
import { createLayerPreparation, createStepResults } from '@tbuild/layers';
import type { BuildRun } from '../build-run.ts';
import type { BuildTarget } from '../build-target.ts';
import { imageOp } from '../ops/image/image.ts';
import type { OpPorts } from '../ops/resolve-op.ts';
import { keyMounts } from '../ops/run/mounts/run-mounts.ts';
import { createEmulators } from '../ops/run/require-platform.ts';
import { inSandbox, type OpenSandbox } from '../ops/run/run.ts';
import type { Services } from '../services.ts';
import { openSession, type Session } from '../session/open-session.ts';
import { opPorts } from '../solve/op-ports.ts';
import { chooseShell } from './choose-shell.ts';

/** A place in a build that ended: the tree of a step, and what its processes had around them. */
export interface ShellPlace {
  /** The target whose contexts and settings apply. Its outputs and caches do not. */
  readonly target: BuildTarget;
  readonly step: Step;
  /** Its arguments do not matter. */
  readonly op: RunOp;
  /** Undefined for an empty tree. */
  readonly tree?: ResultId;
  /** The results that mounts show. */
  readonly sources: readonly ResultId[];
  /** The base images of the build, to extract them again where only their layers are left. */
  readonly bases: readonly { readonly step: Step; readonly op: ImageOp }[];
}

export interface ShellSession {
  /** The descriptor of the terminal. */
  readonly terminal: number;
  /** What the shell reads when it starts. */
  readonly startText: string;
  /** Variables for it, `NAME=value`. */
  readonly env: readonly string[];
}

/** What a shell needs of a running build, and the shell. */
export interface ShellRun extends BuildRun {
  readonly shell: ShellSession;
}

const START_FILE = '/dev/tbuild-shell';

/**
 * Runs a shell at a place of a build that ended, on the trees that the store has. Its changes are discarded. Returns
 * its exit code.
 * @throws TbuildError NOT_FOUND if the store lacks the tree, or nobody has a shell.
 */
export async function runShell(place: ShellPlace, services: Services, { shell, ...run }: ShellRun): Promise<number> {
  await using session = await openSession([withoutOutputs(place)], services, run);
  const ports = portsOf(session, services);
  const { signal } = session.underway;
  for (const { step, op } of place.bases) await imageOp(op, step, ports).prepare({ sources: [] }, signal);
  const { op, step, tree: base } = place;
  const sources = place.sources.map((result) => ({ key: stepKey(step.id), result }));
  const mounts = await keyMounts({ mounts: op.mounts.map(optional), sources }, ports, signal);
  const executor = await ports.executor();
  const work = async (open: OpenSandbox): Promise<number> => {
    const sandbox = withShell(open, shell, services);
    return (await executor.run(sandbox, { stdout: () => {}, stderr: () => {} }, signal)).exitCode;
  };
  return await inSandbox({ op, step, mounts, base }, ports, { signal, work });
}

function withShell(
  { sandbox, tree, files }: OpenSandbox,
  { terminal, startText, env }: ShellSession,
  { searchPath }: Pick<Services, 'searchPath'>,
): Sandbox {
  const { args, mounts } = chooseShell(tree, { searchPath, startFile: START_FILE });
  const source = files.write('start', startText, { mode: 0o644 });
  const start = { type: 'bind', source, target: START_FILE, readonly: true } as const;
  return {
    ...sandbox,
    mounts: [...sandbox.mounts, start, ...mounts],
    process: { ...sandbox.process, args, env: [...sandbox.process.env, ...env, `ENV=${START_FILE}`] },
    terminal,
  };
}

/** Nothing is built, so nothing is written, and a context is needed only by mounts that show it. */
function withoutOutputs({ target, op }: ShellPlace): BuildTarget {
  const showsContext = op.mounts.some((mount) => 'from' in mount && mount.from?.kind === 'context');
  const contexts = showsContext ? {} : { context: { kind: 'empty' } as const, namedContexts: {} };
  return { ...target, request: { ...target.request, ...contexts, outputs: [], cacheFrom: [], cacheTo: [] } };
}

/** A secret that is not given again is missing in the shell. */
function optional(mount: RunMount): RunMount {
  return mount.type === 'secret' || mount.type === 'ssh' ? { ...mount, required: false } : mount;
}

function portsOf({ targets, imported, underway }: Session, services: Services): OpPorts {
  const [session] = targets;
  if (session === undefined) throw new Error('Expected a target');
  const { progress, now, signal } = underway;
  const results = createStepResults(services, { remote: imported.layers, progress, now, signal });
  const graph: Graph = { steps: new Map() };
  return opPorts({ session, plan: { plans: [], scans: [], graph } }, services, {
    progress,
    now,
    signal,
    imported,
    results,
    preparation: createLayerPreparation([], { signal }),
    cachePreparation: createLayerPreparation([], { signal }),
    emulators: createEmulators(services),
    discardedCaches: new Set(),
    imageSteps: new Set(),
    leafSteps: new Set(),
  });
}
