import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { release } from 'node:os';
import { TbuildError } from '@tbuild/errors';

/** What this machine's mount(8) and kernel can do. */
export interface MountAbilities {
  /** Overlay takes each lower directory as an option of its own (Linux 6.8). */
  readonly appendLowers: boolean;
  /** `ro=recursive` (util-linux 2.39). */
  readonly recursiveReadonly: boolean;
}

export interface Tools {
  readonly abilities: MountAbilities;
  /** Absolute paths. */
  readonly unshare: string;
  readonly setpriv: string;
}

/** The set-up's own environment: nothing of the user's, nothing of the step's. */
export const TOOL_ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' } as const;

let detected: Tools | undefined;

/** Reads two version numbers, once: about 2 ms. */
export function detectTools(): Tools {
  return (detected ??= detect());
}

function detect(): Tools {
  const text = execFileSync('setpriv', ['--version'], { env: TOOL_ENVIRONMENT, encoding: 'utf8' });
  const abilities = abilitiesOf({ kernel: release(), utilLinux: text.match(/\d+\.\d+/)?.[0] ?? '0.0' });
  return { abilities, unshare: findProgram('unshare'), setpriv: findProgram('setpriv') };
}

function findProgram(name: string): string {
  const paths = TOOL_ENVIRONMENT.PATH.split(':').map((directory) => `${directory}/${name}`);
  const found = paths.find((path) => existsSync(path));
  if (found === undefined) throw new TbuildError('UNSUPPORTED', `Program "${name}" is not installed`, { hint: 'Install util-linux' });
  return found;
}

/** What versions promise. */
export function abilitiesOf(versions: { readonly kernel: string; readonly utilLinux: string }): MountAbilities {
  const modern = isAtLeast(versions.utilLinux, 2, 39);
  return { appendLowers: modern && isAtLeast(versions.kernel, 6, 8), recursiveReadonly: modern };
}

function isAtLeast(version: string, major: number, minor: number): boolean {
  const [a = 0, b = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return a > major || (a === major && b >= minor);
}
