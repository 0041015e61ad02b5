import { readFileSync } from 'node:fs';

/** A system call on a file of a site: the n-th of its name in its thread. */
export interface Call {
  readonly name: string;
  readonly n: number;
}

/** With one thread of Node's pool, the calls are the same each time. */
export const ONE_THREAD = { UV_THREADPOOL_SIZE: '1' };

/** Returns the command that runs a program and logs calls of it and of all that it starts. */
export function traced(log: string, calls: string): readonly string[] {
  return ['strace', '-f', '-y', '-s', '0', '-o', log, '-e', `trace=${calls}`];
}

/** Returns the command that runs a program and tampers with its n-th call in each thread: `signal=KILL`, `error=EIO`. */
export function tampering({ name, n }: Call, effect: string, log: string): readonly string[] {
  return [...traced(log, name), '-e', `inject=${name}:${effect}:when=${n}`];
}

/** Returns a line of strace without the working directory of the program, which stands before every absolute path too. */
export function withoutWorkingDirectory(line: string): string {
  return line.replaceAll(/AT_FDCWD<[^>]*>, "\//g, 'AT_FDCWD, "/');
}

/** Returns the lines of a log of strace about calls that it made fail, each with the arguments of the call. */
export function injectedCalls(log: string): readonly string[] {
  const begun = new Map<string, string>();
  return readFileSync(log, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [thread = ''] = line.split(' ', 1);
      if (line.includes('<unfinished ...>')) begun.set(thread, line);
      if (!line.includes('(INJECTED)')) return [];
      return [line.includes(' resumed>') ? `${begun.get(thread) ?? ''} ${line}` : line];
    });
}
