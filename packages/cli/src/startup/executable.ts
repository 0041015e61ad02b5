import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';

/** The file of the program; parts that are loaded on demand are beside it. The bundler names it in `import.meta.url`. */
declare global {
  var tbuildFile: string;
}

let inExecutable = false;

/** The first word of a process that runs a part of the program, see {@link partCommand}. */
const PART = '--part';

/**
 * Finds the parts of the program in a process that starts from a snapshot, which another installation may have made: they are
 * beside the script of the command line. For an executable with Node in it, the launcher says where they are.
 */
export function findParts(): void {
  const { TBUILD_FILE: file } = process.env;
  delete process.env.TBUILD_FILE;
  inExecutable = file !== undefined;
  // Where pnpm has put a link, native modules are found only from the real place.
  globalThis.tbuildFile = file ?? realpathSync.native(process.argv[1] ?? '');
}

/** Returns the command that runs a script of the program, by Node or by the executable with Node in it. */
export function partCommand(script: string, options: readonly string[]): readonly string[] {
  return inExecutable ? [process.execPath, PART, script] : [process.execPath, ...options, script];
}

/** Runs the script that a {@link partCommand} names, if this process is one. */
export function becomePart(): boolean {
  const [program = '', , word, script = '', ...rest] = process.argv;
  if (word !== PART) return false;
  process.argv = [program, script, ...rest];
  createRequire(script)(script);
  return true;
}

/** Returns the file of the program, which has `bin` beside its directory. */
export function programFile(): string {
  return globalThis.tbuildFile;
}
