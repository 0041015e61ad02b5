import { lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { errnoName, TbuildError } from '@tbuild/errors';
import type { Resources, Sandbox, StepMemory } from '../executor.ts';
import { canEnter } from './can-enter.ts';
import { type Controller, controlFiles, CONTROLLERS, countMemoryKills, readPeak } from './control-files.ts';
import type { Hierarchy } from './hierarchies.ts';
import { GROUP_PREFIX, removeAbandoned, removeAll, removeWhenEmpty } from './remove-groups.ts';

/** The control groups of one step, in each hierarchy that limits it. */
export interface StepCgroup {
  /** Returns the step's directory in a hierarchy, if it has one. */
  groupIn(hierarchy: Hierarchy): string | undefined;
  /** The `cgroup.procs` files: a process joins a group by writing `0`. */
  readonly joinFiles: readonly string[];
  /** Returns what the groups know of the step's memory. */
  memory(): GroupMemory;
  /** Removes the groups. Call it when all processes have ended. */
  remove(): Promise<void>;
}

/** What control groups know of the memory of a step. */
export type GroupMemory = Pick<StepMemory, 'reachedLimit' | 'peak'>;

/**
 * Creates the groups of a step that has limits or a parent group; returns undefined for a step with neither, unless it
 * `always` needs one of version 2. Without
 * a parent they are in tbuild's own group (v1) or beside it (v2), since a v2 group with processes cannot limit
 * children.
 *
 * @throws TbuildError UNSUPPORTED if this machine or user cannot have them.
 */
export function makeStepCgroup(
  name: string,
  { resources = {}, cgroupParent }: Pick<Sandbox, 'resources' | 'cgroupParent'>,
  { hierarchies, always = false }: { readonly hierarchies: readonly Hierarchy[]; readonly always?: boolean },
): StepCgroup | undefined {
  const groups = groupsFor(name, resources, { hierarchies, parent: cgroupParent, always });
  if (groups.length === 0) return undefined;
  const made: string[] = [];
  try {
    for (const group of groups) makeGroup(group, resources, made);
  } catch (error) {
    removeAll(made);
    throw error;
  }
  const memory = groups.find(({ controllers }) => controllers.includes('memory'));
  return {
    groupIn: (hierarchy) => groups.find((group) => group.hierarchy.mountPoint === hierarchy.mountPoint)?.path,
    joinFiles: groups.map(({ path }) => `${path}/cgroup.procs`),
    memory: () => (memory === undefined ? { reachedLimit: false } : memoryOf(memory)),
    remove: async () => {
      for (const { path } of groups) await removeWhenEmpty(path);
      removeAll(made);
    },
  };
}

function memoryOf({ path, hierarchy: { version } }: Group): GroupMemory {
  return { reachedLimit: countMemoryKills(path, version) > 0, peak: readPeak(path, version) };
}

interface Group {
  readonly hierarchy: Hierarchy;
  readonly path: string;
  /** The controllers that have a limit. */
  readonly controllers: readonly Controller[];
}

function groupsFor(
  name: string,
  resources: Resources,
  { hierarchies, parent, always }: { hierarchies: readonly Hierarchy[]; parent: string | undefined; always: boolean },
): readonly Group[] {
  const limited = CONTROLLERS.filter((controller) => controlFiles(controller, 1, resources).length > 0);
  if (limited.length === 0 && parent === undefined && !always) return [];
  const hierarchyOf = (controller: Controller): Hierarchy | undefined =>
    hierarchies.find(({ controllers }) => controllers.includes(controller));
  const missing = limited.find((controller) => hierarchyOf(controller) === undefined);
  if (missing !== undefined) throw cannotLimit(`this machine has no control group controller "${missing}"`);
  if (hierarchies.length === 0) throw cannotLimit('no control groups are mounted');
  return hierarchies.flatMap((hierarchy) => {
    const controllers = limited.filter((controller) => hierarchyOf(controller) === hierarchy);
    const isOwn = always && hierarchy.version === 2;
    if (controllers.length === 0 && parent === undefined && !isOwn) return [];
    return [{ hierarchy, controllers, path: join(parentIn(hierarchy, parent), GROUP_PREFIX + name) }];
  });
}

function parentIn({ version, mountPoint, own }: Hierarchy, parent: string | undefined): string {
  if (parent !== undefined) return join(mountPoint, normalize(`/${parent}`));
  return version === 1 || own === mountPoint ? own : dirname(own);
}

function makeGroup({ hierarchy, path, controllers }: Group, resources: Resources, made: string[]): void {
  try {
    makeDirectories(hierarchy, path, { controllers, made });
    removeAbandoned(path);
    if (!canEnter(path)) throw cannotLimit(`a process cannot join a control group in ${JSON.stringify(dirname(path))}`);
    for (const controller of controllers)
      for (const [file, value] of controlFiles(controller, hierarchy.version, resources))
        write(`${path}/${file}`, value);
  } catch (cause) {
    if (cause instanceof TbuildError || errnoName(cause) === undefined) throw cause;
    throw cannotLimit(`cannot make a control group in ${JSON.stringify(dirname(path))}`, cause);
  }
}

/** Creates every missing directory on the path and enables the controllers for its children. */
function makeDirectories(
  { version, mountPoint }: Hierarchy,
  path: string,
  { controllers, made }: { controllers: readonly Controller[]; made: string[] },
): void {
  const names = path.slice(mountPoint.length + 1).split('/');
  for (const depth of names.keys()) {
    const parent = join(mountPoint, ...names.slice(0, depth));
    const directory = join(mountPoint, ...names.slice(0, depth + 1));
    if (version === 2) for (const controller of controllers) enable(controller, parent);
    if (lstatSync(directory, { throwIfNoEntry: false }) !== undefined) continue;
    mkdirSync(directory);
    made.push(directory);
    if (version === 1) inheritProcessors(parent, directory);
  }
}

function enable(controller: Controller, directory: string): void {
  const file = `${directory}/cgroup.subtree_control`;
  if (readFileSync(file, 'utf8').trim().split(' ').includes(controller)) return;
  try {
    writeFileSync(file, `+${controller}`);
  } catch (cause) {
    throw cannotLimit(`the controller "${controller}" is not enabled in ${JSON.stringify(directory)}`, cause);
  }
}

/** A new cgroup v1 group has no processors, so nothing could join it. */
function inheritProcessors(parent: string, directory: string): void {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (lstatSync(`${directory}/${file}`, { throwIfNoEntry: false }) === undefined) continue;
    writeFileSync(`${directory}/${file}`, readFileSync(`${parent}/${file}`, 'utf8').trim());
  }
}

function write(path: string, value: string): void {
  try {
    writeFileSync(path, value);
  } catch (cause) {
    throw cannotLimit(`cannot write ${JSON.stringify(value)} to ${JSON.stringify(path)}`, cause);
  }
}

function cannotLimit(reason: string, cause?: unknown): TbuildError {
  return new TbuildError('UNSUPPORTED', `The resources of a step cannot be limited: ${reason}`, {
    hint: 'Run tbuild as root outside of containers, or in a delegated cgroup: systemd-run --user --scope tbuild …',
    cause,
  });
}
