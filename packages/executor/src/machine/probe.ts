import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { leaveDeviceGuard } from '../cgroup/device-guard.ts';
import { type ChrootExecutorOptions, createChrootExecutor } from '../chroot/chroot.ts';
import type { Executor, Sandbox } from '../executor.ts';
import { createNamespaceExecutor } from '../namespace/namespace.ts';
import type { ExecutorOptions } from '../process/run-step.ts';

/** The set-up is over once a program is looked for, and an empty tree has none. */
const NOT_FOUND = 127;

/**
 * Whether namespace isolation works here, found out by doing it: a sandbox on an empty tree. Returns undefined
 * when it does, else what the set-up complained about. Takes about 10 ms.
 */
export async function probeNamespace(options: ExecutorOptions): Promise<string | undefined> {
  return await probe(createNamespaceExecutor(options), options);
}

/** The same for chroot isolation. Takes about 30 ms. */
export async function probeChroot(options: ChrootExecutorOptions): Promise<string | undefined> {
  using executor = createChrootExecutor(options);
  return await probe(executor, options);
}

async function probe(
  executor: Executor,
  { runDirectory }: { readonly runDirectory: string },
): Promise<string | undefined> {
  mkdirSync(runDirectory, { recursive: true });
  const directory = mkdtempSync(join(runDirectory, 'probe-'));
  try {
    return await complaintOf(executor, emptySandbox(directory));
  } finally {
    // Whoever asks is to be able to open devices afterwards.
    await leaveDeviceGuard();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function complaintOf(executor: Executor, sandbox: Sandbox): Promise<string | undefined> {
  const output: Uint8Array[] = [];
  const io = { stdout: () => {}, stderr: (data: Uint8Array) => void output.push(data) };
  try {
    const { exitCode } = await executor.run(sandbox, io, new AbortController().signal);
    return exitCode === NOT_FOUND ? undefined : Buffer.concat(output).toString().trim();
  } catch (error) {
    if (!(error instanceof TbuildError)) throw error;
    if (error.code !== 'PROCESS_FAILED') return [error.message, error.hint].filter(Boolean).join(': ');
    return error.cause instanceof Error ? error.cause.message : error.message;
  }
}

/** Its tree is no overlay: whether one can be mounted is another question. */
function emptySandbox(directory: string): Sandbox {
  return {
    root: { upper: directory, lowers: [], mount: { type: 'bind', source: directory, options: ['bind'], directory } },
    mounts: [],
    process: { args: ['/nothing'], env: [], cwd: '/', user: { uid: 0, gid: 0, groups: [] } },
    hostname: 'tbuild',
    network: 'default',
    security: 'sandbox',
  };
}
