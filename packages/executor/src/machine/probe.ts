import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { makeDirectory } from '@tbuild/linux';
import { leaveDeviceGuard } from '../cgroup/device-guard.ts';
import { type ChrootExecutorOptions, createChrootExecutor } from '../chroot/chroot.ts';
import type { Executor, Sandbox } from '../executor.ts';
import { createNamespaceExecutor } from '../namespace/namespace.ts';
import type { ExecutorOptions } from '../process/run-step.ts';

/**
 * Tries namespace isolation with a sandbox on an empty tree. Returns undefined if it works, otherwise the error of
 * the set-up. Takes about 10 ms.
 */
export async function probeNamespace(options: ExecutorOptions): Promise<string | undefined> {
  return await probe(createNamespaceExecutor(options), options);
}

/** The same as {@link probeNamespace} for chroot isolation. Takes about 30 ms. */
export async function probeChroot(options: ChrootExecutorOptions): Promise<string | undefined> {
  using executor = createChrootExecutor(options);
  return await probe(executor, options);
}

async function probe(
  executor: Executor,
  { runDirectory }: { readonly runDirectory: string },
): Promise<string | undefined> {
  makeDirectory(runDirectory);
  const directory = mkdtempSync(join(runDirectory, 'probe-'));
  try {
    return await setupErrorOf(executor, emptySandbox(directory));
  } finally {
    // The caller may need to open devices afterwards.
    await leaveDeviceGuard();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function setupErrorOf(executor: Executor, sandbox: Sandbox): Promise<string | undefined> {
  const output: Uint8Array[] = [];
  const io = { stdout: () => {}, stderr: (data: Uint8Array) => void output.push(data) };
  try {
    const { notExecuted } = await executor.run(sandbox, io, new AbortController().signal);
    // An empty tree has no program: the set-up worked.
    return notExecuted === undefined ? Buffer.concat(output).toString().trim() : undefined;
  } catch (error) {
    if (!(error instanceof TbuildError)) throw error;
    if (error.code !== 'PROCESS_FAILED') return [error.message, error.hint].filter(Boolean).join(': ');
    return error.cause instanceof Error ? error.cause.message : error.message;
  }
}

/** The tree is not an overlay: whether one can be mounted is checked elsewhere. */
function emptySandbox(directory: string): Sandbox {
  return {
    root: { upper: directory, lowers: [], mount: { type: 'bind', source: directory, options: ['bind'], directory } },
    mounts: [],
    process: { args: ['/nothing'], env: [], cwd: '/', user: { uid: 0, gid: 0, groups: [] } },
    hostname: 'tbuild',
    network: 'host',
    security: 'sandbox',
  };
}
