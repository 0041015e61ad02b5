import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { encodeExitProgram, exitPrograms } from './exit-program.ts';
import { TOOL_ENVIRONMENT } from './tools.ts';

/** What programs are made for, in Go's names. */
export interface ProgramPlatform {
  readonly os: string;
  readonly architecture: string;
}

export interface EmulationOptions {
  /** Where a directory for the attempt may be made. */
  readonly directory: string;
  readonly host: ProgramPlatform;
}

const run = promisify(execFile);

/** Exit codes of chroot(1): it could not start the program. */
const NOT_STARTED: readonly unknown[] = [126, 127];

/**
 * Whether programs of a platform can be started here, as BuildKit finds it out: by starting the smallest one there
 * is, in an empty root, where a handler of binfmt_misc only works when it needs nothing from the root. True for
 * what cannot be tried.
 */
export async function canRunPlatform(
  platform: ProgramPlatform,
  { directory, host }: EmulationOptions,
): Promise<boolean> {
  const program = Object.hasOwn(exitPrograms, platform.architecture) ? exitPrograms[platform.architecture] : undefined;
  if (platform.os !== host.os) return false;
  if (program === undefined || platform.architecture === host.architecture) return true;
  mkdirSync(directory, { recursive: true });
  const root = mkdtempSync(join(directory, 'platform-'));
  try {
    writeFileSync(join(root, 'exit'), encodeExitProgram(program), { mode: 0o755 });
    await run('chroot', [root, '/exit'], { env: TOOL_ENVIRONMENT });
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && NOT_STARTED.includes(error.code));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
