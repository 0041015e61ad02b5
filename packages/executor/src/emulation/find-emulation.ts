import { execFile } from 'node:child_process';
import { constants, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { isExecutable, TOOL_ENVIRONMENT } from '../machine/tools.ts';
import { encodeExitProgram, type ExitProgram, exitPrograms } from './exit-program.ts';
import { handlerOf, handlerRule } from './binfmt-handlers.ts';
import { registerCommand } from './step-handler.ts';

/** What programs are made for, in Go's names. */
export interface ProgramPlatform {
  readonly os: string;
  readonly architecture: string;
}

export interface EmulationOptions {
  /** Where a directory for the attempts may be made. */
  readonly directory: string;
  readonly host: ProgramPlatform;
  /** Directories to look for emulators in. */
  readonly searchPath: readonly string[];
}

/** Those for which it can be found out whether their programs run here. */
export const ARCHITECTURES: readonly string[] = Object.keys(exitPrograms);

const PROGRAMS = new Map<string, ExitProgram>(Object.entries(exitPrograms));

/** How programs of a platform come to run in a step. */
export type Emulation =
  /** By the kernel, alone or with a registered handler that needs nothing from the step's root. */
  | { readonly kind: 'native' }
  /** By a registered handler that looks for its emulator in the step's root, at this path of ours. */
  | { readonly kind: 'bound'; readonly emulator: string }
  /** By an emulator that nothing is registered for: each step registers it, by this rule, for itself. */
  | { readonly kind: 'registered'; readonly emulator: string; readonly rule: string }
  /** Not at all: there is no emulator, or this one cannot be registered, for the reason that is given. */
  | { readonly kind: 'none'; readonly emulator?: string; readonly reason?: string };

/**
 * Finds out how programs of a platform can be started here, as BuildKit does: by starting the smallest one there
 * is, in an empty root. What cannot be tried is taken for native.
 */
export async function findEmulation(platform: ProgramPlatform, options: EmulationOptions): Promise<Emulation> {
  const { directory, host } = options;
  const program = PROGRAMS.get(platform.architecture);
  if (platform.os !== host.os) return { kind: 'none' };
  if (program === undefined || platform.architecture === host.architecture) return { kind: 'native' };
  mkdirSync(directory, { recursive: true });
  const root = mkdtempSync(join(directory, 'platform-'));
  try {
    writeFileSync(join(root, 'exit'), encodeExitProgram(program), { mode: 0o755 });
    return await emulationOf(program, root, options.searchPath);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function emulationOf(program: ExitProgram, root: string, searchPath: readonly string[]): Promise<Emulation> {
  const start = ['chroot', root, '/exit'];
  const refused = await attempt(start);
  if (refused === undefined || !NOT_STARTED.includes(refused.code)) return { kind: 'native' };
  const handler = handlerOf(program);
  if (handler !== undefined && (await startsWith(handler, start, root))) return { kind: 'bound', emulator: handler };
  const emulator = findEmulator(program, searchPath);
  if (emulator === undefined) return { kind: 'none' };
  const rule = handlerRule(program, emulator);
  // Where user namespaces are refused, unshare would leave a process behind that waits to map ids, and holds our pipe.
  const complaint =
    (await attempt(['unshare', '--user', 'true'])) ??
    (await attempt(registerCommand(start, { rule, directory: root, reportTo: 2 })));
  return complaint === undefined
    ? { kind: 'registered', emulator, rule }
    : { kind: 'none', emulator, reason: complaint.text };
}

/** Exit codes of chroot(1): it could not start the program. */
const NOT_STARTED: readonly unknown[] = [126, 127];

async function startsWith(emulator: string, start: readonly string[], root: string): Promise<boolean> {
  try {
    mkdirSync(dirname(root + emulator), { recursive: true });
    copyFileSync(emulator, root + emulator, constants.COPYFILE_FICLONE);
  } catch {
    // A handler may name a program that is gone.
    return false;
  }
  return (await attempt(start)) === undefined;
}

function findEmulator({ emulator }: ExitProgram, searchPath: readonly string[]): string | undefined {
  return searchPath
    .flatMap((directory) => [`${directory}/qemu-${emulator}-static`, `${directory}/qemu-${emulator}`])
    .find(isExecutable);
}

const run = promisify(execFile);

async function attempt([file = '', ...args]: readonly string[]): Promise<{ code: unknown; text: string } | undefined> {
  try {
    await run(file, args, { env: TOOL_ENVIRONMENT });
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const text = 'stderr' in error ? String(error.stderr).trim() : '';
    return { code: 'code' in error ? error.code : undefined, text: (text || error.message).split('\n')[0] ?? '' };
  }
}
