import { execFile } from 'node:child_process';
import { constants, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { makeDirectory } from '@tbuild/linux';
import { isExecutable, TOOL_ENVIRONMENT } from '../machine/tools.ts';
import { handlerOf, handlerRule } from './binfmt-handlers.ts';
import { encodeExitProgram, type ExitProgram, exitPrograms } from './exit-program.ts';
import { registerCommand } from './step-handler.ts';

/** The platform of a program, in Go's names. */
export interface ProgramPlatform {
  readonly os: string;
  readonly architecture: string;
}

export interface EmulationOptions {
  /** The directory for temporary files. */
  readonly directory: string;
  readonly host: ProgramPlatform;
  /** The directories to search for emulators. */
  readonly searchPath: readonly string[];
}

/** The architectures that can be tested. */
export const ARCHITECTURES: readonly string[] = Object.keys(exitPrograms);

const PROGRAMS = new Map<string, ExitProgram>(Object.entries(exitPrograms));

/** How programs of a platform run in a step. */
export type Emulation =
  /** By the kernel, alone or with a registered handler that needs nothing from the step's root. */
  | { readonly kind: 'native' }
  /** By a registered handler that looks for its emulator in the step's root, at this path of the host. */
  | { readonly kind: 'bound'; readonly emulator: string }
  /** By an emulator without a registered handler. Each step registers it for itself, by this rule. */
  | { readonly kind: 'registered'; readonly emulator: string; readonly rule: string }
  /** Not at all: no emulator is installed, or it cannot be registered for the given reason. */
  | { readonly kind: 'none'; readonly emulator?: string; readonly reason?: string };

/**
 * Finds out how programs of a platform can run here, as BuildKit does: by starting the smallest possible program in
 * an empty root. A platform that cannot be tested counts as native.
 */
export async function findEmulation(platform: ProgramPlatform, options: EmulationOptions): Promise<Emulation> {
  const { directory, host } = options;
  const program = PROGRAMS.get(platform.architecture);
  if (platform.os !== host.os) return { kind: 'none' };
  if (program === undefined || platform.architecture === host.architecture) return { kind: 'native' };
  makeDirectory(directory);
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
  // Without user namespaces, unshare would leave a process behind that waits to map ids and holds the pipe.
  const failure =
    (await attempt(['unshare', '--user', 'true'])) ??
    (await attempt(registerCommand(start, { rule, directory: root, reportTo: 2 })));
  return failure === undefined
    ? { kind: 'registered', emulator, rule }
    : { kind: 'none', emulator, reason: failure.text };
}

/** The exit codes of chroot(1) if it cannot start the program. */
const NOT_STARTED: readonly unknown[] = [126, 127];

async function startsWith(emulator: string, start: readonly string[], root: string): Promise<boolean> {
  try {
    makeDirectory(dirname(root + emulator));
    copyFileSync(emulator, root + emulator, constants.COPYFILE_FICLONE);
  } catch {
    // A handler may name a program that no longer exists.
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
