import { requireSuccess, type Programs } from '@tbuild/engine';
import { encodeForDocker, withoutAttestations } from '../archive/docker-archive.ts';
import { imageArchive } from '../archive/image-archive.ts';
import { encodeExport, exportedTo } from '../encode/encode-export.ts';
import type { Exportable, Exported, ExportRun } from '../exporter.ts';
import { importCommand, importMissing } from './import-missing.ts';
import { loadedNames } from './loaded-names.ts';
import type { LoadingProgram, ProgramPorts } from './loading-program.ts';
import { pullByPodman } from './pull-by-podman.ts';

/** The programs in the order in which they are tried. */
export const PROGRAMS: readonly LoadingProgram[] = [
  {
    name: 'podman',
    title: 'Podman',
    takesIndex: false,
    load: () => ['podman', 'load', '--quiet'],
    loadMissing: pullByPodman,
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
    load: importCommand,
    loadMissing: importMissing,
    // The images of a namespace belong to another program, such as a kubelet.
    isThere: async () => false,
  },
];

/** Loads the image through a program, without anything that its engine has no place for. */
export async function loadByProgram(
  { title, takesIndex, load, loadMissing }: LoadingProgram,
  { result, ports }: { readonly result: Exportable; readonly ports: ProgramPorts },
  run: ExportRun,
): Promise<Exported> {
  const { names } = result;
  const encoded = takesIndex
    ? await encodeExport(result, {}, run)
    : await encodeForDocker(result, { mediaTypes: 'docker' }, run);
  if ((await loadMissing?.({ encoded, names }, ports, run)) !== true) {
    const args = load({ isIndex: encoded.images.length > 1 });
    const input = imageArchive(encoded, names, run);
    const { programs } = ports;
    requireSuccess(args, await programs.run(args, { cwd: programs.cwd, input, signal: run.signal }));
  }
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
