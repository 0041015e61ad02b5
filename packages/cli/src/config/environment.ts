import type { Readable, Writable } from 'node:stream';
import { getSystemErrorMap } from 'node:util';
import { errnoName, TbuildError } from '@tbuild/errors';
import type { TextOutput } from '@tbuild/tui';

/** What the program reads of its surroundings. `main` reads it once and passes it on. */
export interface Environment {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The user id outside any user namespace. */
  readonly uid: number;
  /** Whether this process is root only inside a user namespace. */
  readonly inUserNamespace: boolean;
  /** The owner of files written for the user, as this process sees it. */
  readonly owner: { readonly uid: number; readonly gid: number };
  readonly stdout: TextOutput & Writable;
  readonly stderr: TextOutput;
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?(isRaw: boolean): unknown };
}

/** The surroundings of a process that is about to end. */
export interface ProcessEnvironment extends Environment {
  /** Waits until everything is written, or has failed to be. */
  flush(): Promise<void>;
}

/** Reads the surroundings of this process; the launcher passes on the user outside its namespace. */
export function readEnvironment(): ProcessEnvironment {
  const { env } = process;
  const outputs = new Set<NodeJS.WriteStream>();
  const open = (stream: NodeJS.WriteStream, onError: (error: Error) => void): NodeJS.WriteStream => {
    if (!outputs.has(stream)) stream.on('error', onError);
    outputs.add(stream);
    return stream;
  };
  return {
    // A variable that is not set is not there either when objects have something of its name, such as `constructor`.
    variables: Object.assign(Object.create(null), env),
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
      // Failures arrive in the next turn of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

/** Returns the directories in which to look for programs. */
export function searchPath({ variables }: Environment): readonly string[] {
  return (variables['PATH'] ?? DEFAULT_PATH).split(':').filter((directory) => directory.startsWith('/'));
}

/** Drops output that nobody reads any more, as behind `| head`; the work goes on. */
function refuseUnlessClosed(error: Error): void {
  if (errnoName(error) === 'EPIPE') return;
  const errno = 'errno' in error && typeof error.errno === 'number' ? error.errno : 0;
  const why = getSystemErrorMap().get(errno)?.[1] ?? error.message;
  throw new TbuildError('SYSTEM', `Cannot write to standard output: ${why}`, {
    cause: error,
    hint: 'Check its destination: the disk may be full, or the reader gone',
  });
}

/** There is no place to report a failure of standard error. */
function ignoreError(): void {}
