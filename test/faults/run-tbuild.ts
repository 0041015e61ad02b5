import { chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { baseImageArguments } from '../support/base-images.ts';
import { program } from '../support/program.ts';
import { runProcess, type ProcessOptions, type ProcessResult } from '../support/run-process.ts';
import { runDirectoryVariable } from '../support/scratch.ts';
import { ordinaryUser } from '../support/user.ts';
import { withoutLimits } from '../support/without-limits.ts';
import type { FaultContext } from './fault-row.ts';

export interface RunOptions extends Pick<ProcessOptions, 'env' | 'input' | 'onStart'> {
  /** The store's root. Default: `store` in the directory of the case. */
  readonly store?: string;
  /** A command and its arguments that start the program, such as strace. */
  readonly through?: readonly string[];
}

/** Runs tbuild in the directory of a case to its end, whatever its exit code. The abort of the case kills it. */
export async function runTbuild(
  { directory, signal, asUser = false }: Pick<FaultContext, 'directory' | 'signal' | 'asUser'>,
  args: readonly string[],
  { store = join(directory, 'store'), through = [], env, input, onStart }: RunOptions = {},
): Promise<ProcessResult> {
  signal.throwIfAborted();
  const home = join(directory, 'home');
  if (!existsSync(home)) mkdirSync(home);
  const [command = '', ...rest] = [...through, ...(asUser ? becomeUser() : []), program, ...args];
  const ended = new AbortController();
  const result = runProcess(command, rest, {
    cwd: directory,
    env: {
      HOME: home,
      XDG_CACHE_HOME: sharedCache(home, asUser),
      TMPDIR: directory,
      TBUILD_ROOT: store,
      ...withoutLimits,
      SOURCE_DATE_EPOCH: '1700000000',
      ...env,
    },
    input,
    onStart(child) {
      signal.addEventListener('abort', () => child.kill('SIGKILL'), { signal: ended.signal });
      onStart?.(child);
    },
  });
  return await result.finally(() => ended.abort());
}

/** Like the program of `runuser`, but becomes the program, which then gets the signals itself. */
function becomeUser(): readonly string[] {
  const { name } = ordinaryUser();
  return ['setpriv', '--reuid', name, '--regid', name, '--init-groups'];
}

/** Returns the directory for what the launcher remembers, the same for all cases of a user. */
function sharedCache(home: string, asUser: boolean): string {
  const run = process.env[runDirectoryVariable] ?? home;
  if (!asUser) return join(run, 'cache');
  const cache = join(run, 'cache-of-user');
  mkdirSync(cache, { recursive: true });
  chownSync(cache, ordinaryUser().uid, ordinaryUser().gid);
  return cache;
}

/** Like {@link runTbuild}, but an exit code other than 0 fails the case. */
export async function runGood(
  context: FaultContext,
  args: readonly string[],
  options?: RunOptions,
): Promise<ProcessResult> {
  const result = await runTbuild(context, args, options);
  if (result.exitCode !== 0)
    context.fail(`tbuild ${args.join(' ')} exited with ${result.exitCode}`, result.stdout + result.stderr);
  return result;
}

/** Whether the output of a command has an error that is none for users. */
export function isInternalError(stderr: string): boolean {
  return /Internal error|^\s+at (?:\S+ \(|.*:\d+:\d+)/m.test(stderr);
}

/** Returns the arguments of a build whose digest depends on nothing but its files. `FROM busybox` needs no registry. */
export function buildArguments(context: string, ...options: readonly string[]): string[] {
  return ['build', '--progress', 'plain', ...baseImageArguments(), ...options, context];
}

/** Writes files below a directory, which it makes. */
export function writeFiles(directory: string, files: Readonly<Record<string, string | Buffer>>): string {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
  return directory;
}
