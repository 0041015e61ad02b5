import type { Readable, Writable } from 'node:stream';
import { errnoName } from '@tbuild/errors';
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

/** The surroundings of this process; the launcher says who the user is outside its namespace. */
export function readEnvironment(): Environment {
  const { env } = process;
  return {
    variables: env,
    cwd: process.cwd(),
    uid: Number(env.TBUILD_UID ?? process.getuid?.() ?? 0),
    owner: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
    inUserNamespace: env.TBUILD_IN_USERNS === '1',
    get stdout() {
      return openOutput(process.stdout);
    },
    get stderr() {
      return openOutput(process.stderr);
    },
    get stdin() {
      return process.stdin;
    },
  };
}

const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

/** Where programs are looked for. */
export function searchPath({ variables }: Environment): readonly string[] {
  return (variables['PATH'] ?? DEFAULT_PATH).split(':').filter((directory) => directory.startsWith('/'));
}

/** Where nobody reads any more, as behind `| head`, nothing is written, and the work goes on. */
function openOutput(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  if (stream.listenerCount('error', ignoreClosedPipe) === 0) stream.on('error', ignoreClosedPipe);
  return stream;
}

function ignoreClosedPipe(error: Error): void {
  if (errnoName(error) !== 'EPIPE') throw error;
}
