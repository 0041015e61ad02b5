import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { eventually } from '../../support/eventually.ts';
import { runChecked } from '../../support/run-process.ts';

/** A directory in which a build finds its project. */
export interface ContextPlace extends AsyncDisposable {
  readonly path: string;
  /** Ends the file system, if it is one of its own, as a crash does. */
  crash(): void;
}

/** Where a project lies: as it is, or on a file system in user space, from which so many bytes are read in a second. */
export async function openPlace(project: string, rate: string | undefined): Promise<ContextPlace> {
  if (rate === undefined) return { path: project, crash() {}, async [Symbol.asyncDispose]() {} };
  const path = `${project}-shown`;
  mkdirSync(path);
  const uncached = ['-o', 'attr_timeout=0,entry_timeout=0'];
  // Relative names, so that it is not taken for a process that a case leaves.
  const program = spawn('bindfs', ['-f', ...uncached, `--read-rate=${rate}`, basename(project), basename(path)], {
    cwd: dirname(project),
    stdio: 'ignore',
  });
  const ended = once(program, 'exit');
  await eventually(() => existsSync(join(path, 'Dockerfile')));
  return {
    path,
    crash: () => void program.kill('SIGKILL'),
    async [Symbol.asyncDispose]() {
      await runChecked('umount', ['--lazy', path]);
      // A mount namespace made meanwhile, as that of a dockerd, may hold the mount.
      program.kill('SIGKILL');
      await ended;
    },
  };
}
