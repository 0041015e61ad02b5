import { createRequire } from 'node:module';

/** The file of the program; parts that are loaded on demand are beside it. The bundler names it in `import.meta.url`. */
declare global {
  var tbuildFile: string;
}

let inExecutable = false;

/** The first word of a process that runs a part of the program, see {@link partCommand}. */
const PART = '--part';

/**
 * Finds the parts of the program when it is in an executable of its own: the launcher says where they are, since they
 * were elsewhere when the executable was made.
 */
export function enterExecutable(): void {
  const { TBUILD_FILE: file } = process.env;
  if (file === undefined) return;
  delete process.env.TBUILD_FILE;
  globalThis.tbuildFile = file;
  inExecutable = true;
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
