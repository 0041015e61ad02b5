import { spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ActiveSnapshot, createOverlaySnapshotter, type OverlayFlavour, type Snapshotter } from '@tbuild/snapshot';
import { storeLayout } from '@tbuild/store';
import { afterAll, beforeAll, test } from 'vitest';
import { needs, type Requirement } from '../../../../test/support/requirements.ts';
import { leaveDeviceGuard } from '../cgroup/device-guard.ts';
import type { Executor, Sandbox, StepEnd } from '../executor.ts';
import { syscallTestProgram, outcomes, type TriedCall } from './test-syscalls.ts';

export interface ExecutorUnderTest {
  readonly flavour: OverlayFlavour;
  /** False for executors without namespaces and mounts. */
  readonly isolated?: boolean;
  /** False if steps see the /proc of the surrounding container, which may not accept a host name. */
  readonly ownProc?: boolean;
  /** `directory` is empty and belongs to the suite. */
  create(directory: string): Executor;
}

/** An executor under test with a store, a base snapshot and the means to run steps on it. */
export interface ExecutorSuite {
  readonly flavour: OverlayFlavour;
  readonly isolated: boolean;
  /** Empty before the tests; known while they run. */
  readonly directory: string;
  snapshotter(): Snapshotter;
  /** Runs a script on a new child of the base. The caller may inspect `active.upper` afterwards. */
  run(script: string | readonly string[], changes?: SandboxChanges): Promise<Ran>;
  /** Makes system calls in a sandbox and returns the result of each. */
  tryCalls(calls: readonly TriedCall[], user?: Sandbox['process']['user']): Promise<string[]>;
  /** Defines a test if the executor promises what it tests. */
  testWhen(promised: boolean, ...requirements: readonly Requirement[]): DefineTest;
  /** For executors with namespaces and mounts. */
  readonly isolatedTest: DefineTest;
  /** For those that also have a /proc of their own. */
  readonly procTest: DefineTest;
  /** For real root where control groups can be made. */
  readonly realRootTest: DefineTest;
}

type DefineTest = (title: string, body: () => Promise<void>) => void;

export interface Ran extends StepEnd {
  readonly stdout: string;
  readonly stderr: string;
  readonly active: ActiveSnapshot;
}

export interface SandboxChanges extends Partial<Omit<Sandbox, 'process' | 'root'>> {
  readonly process?: Partial<Sandbox['process']>;
  /** The parent snapshot; an empty string for an empty tree. */
  readonly base?: string;
  readonly signal?: AbortSignal;
  onOutput?(data: Uint8Array): void;
  before?(upper: string): void;
}

export const cgroups = { met: canMakeGroups(), lacks: 'the right to make control groups' };
/** Whether root can keep everybody from changing a directory for temporary files. */
export const immutable = { met: canMakeImmutable(), lacks: 'root with chattr, and a file system that has its flags' };
export const BUSYBOX = ['/bin/busybox', '/usr/bin/busybox'].find(existsSync);

/** Creates the suite, with hooks that set it up before the tests and remove it afterwards. */
export function createExecutorSuite({
  flavour,
  create,
  isolated = true,
  ownProc = true,
}: ExecutorUnderTest): ExecutorSuite {
  let directory = '';
  let executor: Executor;
  const snapshotter = () => createOverlaySnapshotter({ store: storeLayout(join(directory, 'store')), flavour });
  const testWhen: ExecutorSuite['testWhen'] =
    (promised, ...requirements) =>
    (title, body) => {
      if (promised) test(title, needs(...requirements), body);
    };

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'executor-'));
    mkdirSync(join(directory, 'run'));
    mkdirSync(join(directory, 'store'));
    executor = create(join(directory, 'run'));
    const base = await snapshotter().prepare();
    makeBusyboxTree(base.upper);
    await base.commit('base');
  });
  afterAll(async () => {
    await leaveDeviceGuard();
    rmSync(directory, { recursive: true, force: true });
  });

  const run: ExecutorSuite['run'] = (script, changes) =>
    runStep({ executor, snapshots: snapshotter() }, script, changes);
  return {
    flavour,
    isolated,
    get directory() {
      return directory;
    },
    snapshotter,
    run,
    tryCalls: (calls, user) => tryCalls(run, calls, user),
    testWhen,
    isolatedTest: testWhen(isolated),
    procTest: testWhen(isolated && ownProc),
    realRootTest: testWhen(flavour !== 'user', cgroups),
  };
}

async function runStep(
  { executor, snapshots }: { executor: Executor; snapshots: Snapshotter },
  script: string | readonly string[],
  changes: SandboxChanges = {},
): Promise<Ran> {
  const active = await snapshots.prepare(changes.base === undefined ? 'base' : changes.base || undefined);
  const out: Record<'stdout' | 'stderr', Uint8Array[]> = { stdout: [], stderr: [] };
  changes.before?.(active.upper);
  const sandbox = sandboxOf(active, typeof script === 'string' ? ['/bin/sh', '-c', script] : script, changes);
  const io = {
    stdout: (data: Uint8Array) => {
      out.stdout.push(data);
      changes.onOutput?.(data);
    },
    stderr: (data: Uint8Array) => void out.stderr.push(data),
  };
  const end = await executor.run(sandbox, io, changes.signal ?? new AbortController().signal);
  return {
    ...end,
    stdout: Buffer.concat(out.stdout).toString(),
    stderr: Buffer.concat(out.stderr).toString(),
    active,
  };
}

async function tryCalls(
  run: ExecutorSuite['run'],
  calls: readonly TriedCall[],
  user?: Sandbox['process']['user'],
): Promise<string[]> {
  const output: Uint8Array[] = [];
  await run(['/calls'], {
    before: (upper) => writeFileSync(join(upper, 'calls'), syscallTestProgram(calls), { mode: 0o755 }),
    onOutput: (data) => void output.push(data),
    process: user && { user },
  });
  return outcomes(Buffer.concat(output));
}

function sandboxOf(
  { upper, lowers, mount }: ActiveSnapshot,
  args: readonly string[],
  changes: SandboxChanges,
): Sandbox {
  return {
    root: { upper, lowers, mount },
    mounts: changes.mounts ?? [],
    process: { args, env: ['PATH=/bin'], cwd: '/', user: { uid: 0, gid: 0, groups: [] }, ...changes.process },
    hostname: 'buildkitsandbox',
    network: changes.network ?? 'host',
    security: changes.security ?? 'sandbox',
    shmSize: changes.shmSize,
    resources: changes.resources,
    cgroupParent: changes.cgroupParent,
    handler: changes.handler,
  };
}

function canMakeImmutable(): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'immutable-'));
  try {
    const set = (flag: string) => spawnSync('chattr', [flag, directory]).status === 0;
    return set('+i') && set('-i');
  } finally {
    rmdirSync(directory);
  }
}

function canMakeGroups(): boolean {
  try {
    accessSync(existsSync('/sys/fs/cgroup/memory') ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup', constants.W_OK);
    return existsSync('/sys/fs/cgroup/memory') || existsSync('/sys/fs/cgroup/cgroup.controllers');
  } catch {
    return false;
  }
}

const APPLETS =
  '[ cat chmod chown chroot cp cut df echo env grep head hostname id ln ls md5sum mkdir mknod mount mv readlink rm sh sleep stat tail touch tr unshare wc yes';

function makeBusyboxTree(root: string): void {
  for (const name of ['bin', 'etc', 'tmp', 'proc', 'sys', 'dev']) mkdirSync(join(root, name));
  copyFileSync(BUSYBOX ?? '', join(root, 'bin/busybox'));
  for (const applet of APPLETS.split(' ')) symlinkSync('busybox', join(root, 'bin', applet));
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\n');
  symlinkSync('/tmp', join(root, 'absolute'));
  symlinkSync('../../../tmp/resolv.conf', join(root, 'etc/link.conf'));
}
