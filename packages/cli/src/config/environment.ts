import type { Readable, Writable } from 'node:stream';
import { getSystemErrorMap } from 'node:util';
import { errnoName, TbuildError } from '@tbuild/errors';
import type { TextOutput } from '@tbuild/tui';

/** What the program reads of its surroundings; read once, in `main`, and passed on. */
export interface Environment {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The user outside of any user namespace. */
  readonly uid: number;
  /** Whether this process is root inside a user namespace only. */
  readonly inUserNamespace: boolean;
  /** Who files written for the user belong to, as this process sees it. */
  readonly owner: { readonly uid: number; readonly gid: number };
  readonly stdout: TextOutput & Writable;
  readonly stderr: TextOutput;
  readonly stdin: Readable & { readonly isTTY?: boolean };
}

/** The surroundings of a process that is about to end. */
export interface ProcessEnvironment extends Environment {
  /** Waits until everything has been written, or could not be. */
  flush(): Promise<void>;
}

/** The surroundings of this process; the launcher says who the user is outside its namespace. */
export function readEnvironment(): ProcessEnvironment {
  const { env } = process;
  const outputs = new Set<NodeJS.WriteStream>();
  const open = (stream: NodeJS.WriteStream, onError: (error: Error) => void): NodeJS.WriteStream => {
    if (!outputs.has(stream)) stream.on('error', onError);
    outputs.add(stream);
    return stream;
  };
  return {
    variables: env,
    cwd: process.cwd(),
    uid: Number(env.TBUILD_UID ?? process.getuid?.() ?? 0),
    owner: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
    inUserNamespace: env.TBUILD_IN_USERNS === '1',
    get stdout() {
      return open(process.stdout, refuseUnlessClosed);
    },
    get stderr() {
      return open(process.stderr, ignoreError);
    },
    get stdin() {
      return process.stdin;
    },
    async flush() {
      for (const stream of outputs)
        if (stream.writableLength > 0) await new Promise<void>((resolve) => stream.write('', () => resolve()));
      // Failures are told in the next turn.
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

/** Where programs are looked for. */
export function searchPath({ variables }: Environment): readonly string[] {
  return (variables['PATH'] ?? DEFAULT_PATH).split(':').filter((directory) => directory.startsWith('/'));
}

/** Where nobody reads any more, as behind `| head`, nothing is written, and the work goes on. */
function refuseUnlessClosed(error: Error): void {
  if (errnoName(error) === 'EPIPE') return;
  const errno = 'errno' in error && typeof error.errno === 'number' ? error.errno : 0;
  const why = getSystemErrorMap().get(errno)?.[1] ?? error.message;
  throw new TbuildError('SYSTEM', `Cannot write to standard output: ${why}`, {
    cause: error,
    hint: 'Look at where it goes: the disk of that file may be full, or its reader gone',
  });
}

/** There is nowhere to tell that what is told on standard error cannot be written. */
function ignoreError(): void {}
