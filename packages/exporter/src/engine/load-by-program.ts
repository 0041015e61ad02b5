import { requireSuccess, type Programs } from '@tbuild/engine';
import { encodeForDocker, withoutAttestations } from '../archive/docker-archive.ts';
import { imageArchive } from '../archive/image-archive.ts';
import { encodeExport, exportedTo } from '../encode/encode-export.ts';
import type { Exportable, Exported, ExportRun } from '../exporter.ts';
import { loadedNames } from './loaded-names.ts';

/** An engine that loads an archive from the standard input of its program. */
export interface LoadingProgram {
  readonly name: string;
  /** The engine's name for people. */
  readonly title: string;
  /** Whether it takes an index: several platforms, and attestations. */
  readonly takesIndex: boolean;
  load(options: { readonly isIndex: boolean }): readonly string[];
  /** Returns whether the engine is used when the user chose none. */
  isThere(programs: Programs, signal: AbortSignal): Promise<boolean>;
}

/** The programs in the order in which they are tried. */
export const PROGRAMS: readonly LoadingProgram[] = [
  {
    name: 'podman',
    title: 'Podman',
    takesIndex: false,
    load: () => ['podman', 'load', '--quiet'],
    isThere: (programs, signal) => succeeds(['podman', '--version'], programs, signal),
  },
  {
    name: 'nerdctl',
    title: 'nerdctl',
    takesIndex: true,
    load: ({ isIndex }) => ['nerdctl', 'load', ...(isIndex ? ['--all-platforms'] : [])],
    isThere: (programs, signal) => succeeds(['nerdctl', 'info'], programs, signal),
  },
  {
    name: 'ctr',
    title: 'containerd',
    takesIndex: true,
    load: ({ isIndex }) => ['ctr', 'images', 'import', ...(isIndex ? ['--all-platforms'] : []), '-'],
    // The images of a namespace belong to another program, such as a kubelet.
    isThere: async () => false,
  },
];

/** Loads the image through a program, without anything that its engine has no place for. */
export async function loadByProgram(
  { title, takesIndex, load }: LoadingProgram,
  { result, programs }: { readonly result: Exportable; readonly programs: Programs },
  run: ExportRun,
): Promise<Exported> {
  const encoded = await (takesIndex ? encodeExport : encodeForDocker)(result, {}, run);
  const args = load({ isIndex: encoded.images.length > 1 });
  const input = imageArchive(encoded, result.names, run);
  const answer = await programs.run(args, { cwd: programs.cwd, input, signal: run.signal });
  requireSuccess(args, answer);
  return {
    ...exportedTo(`${loadedNames(result, encoded)} in ${title}`, encoded),
    ...(takesIndex ? {} : withoutAttestations(result)),
  };
}

async function succeeds(args: readonly string[], { run, cwd }: Programs, signal: AbortSignal): Promise<boolean> {
  try {
    return (await run(args, { cwd, signal })).exitCode === 0;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
