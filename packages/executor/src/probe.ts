import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import type { Executor, Sandbox } from './executor.ts';
import { createNamespaceExecutor } from './namespace.ts';
import type { ExecutorOptions } from './run-step.ts';

/** The set-up is over once a program is looked for, and an empty tree has none. */
const NOT_FOUND = 127;

/**
 * Whether namespace isolation works here, found out by doing it: a sandbox on an empty tree. Returns undefined
 * when it does, else what the set-up complained about. Takes about 10 ms.
 */
export async function probeNamespace(options: ExecutorOptions): Promise<string | undefined> {
  mkdirSync(options.runDirectory, { recursive: true });
  const directory = mkdtempSync(join(options.runDirectory, 'probe-'));
  try {
    return await complaintOf(createNamespaceExecutor(options), emptySandbox(directory, options));
  } finally {
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
    return error.cause instanceof Error ? error.cause.message : error.message;
  }
}

function emptySandbox(directory: string, { flavour }: ExecutorOptions): Sandbox {
  for (const name of ['lower', 'upper', 'work']) mkdirSync(join(directory, name));
  const options = ['lowerdir=lower', 'upperdir=upper', 'workdir=work', ...(flavour === 'user' ? ['userxattr'] : [])];
  return {
    root: {
      upper: join(directory, 'upper'),
      lowers: [join(directory, 'lower')],
      mount: { type: 'overlay', source: 'overlay', options, directory },
    },
    mounts: [],
    process: { args: ['/nothing'], env: [], cwd: '/', user: { uid: 0, gid: 0, groups: [] } },
    hostname: 'tbuild',
    network: 'default',
    security: 'sandbox',
  };
}
