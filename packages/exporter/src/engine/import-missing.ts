import type { Programs } from '@tbuild/engine';
import { imageArchive } from '../archive/image-archive.ts';
import type { ExportRun } from '../exporter.ts';
import type { NamedExport, ProgramPorts } from './loading-program.ts';

/** Returns the command that imports an archive into containerd. */
export function importCommand({ isIndex }: { readonly isIndex: boolean }): readonly string[] {
  return ['ctr', 'images', 'import', ...(isIndex ? ['--all-platforms'] : []), '-'];
}

/** Imports an image into containerd without the layers that it has. Returns whether that is all of the image. */
export async function importMissing(
  { encoded, names }: NamedExport,
  { programs }: Pick<ProgramPorts, 'programs'>,
  run: ExportRun,
): Promise<boolean> {
  const { signal } = run;
  const present = await blobsIn(programs, signal);
  const omitted = new Set(encoded.layers.map(({ digest }) => digest).filter((digest) => present.has(digest)));
  if (omitted.size === 0) return false;
  const input = imageArchive(encoded, names, { ...run, omitted });
  const args = importCommand({ isIndex: encoded.images.length > 1 });
  const { exitCode } = await programs.run(args, { cwd: programs.cwd, input, signal });
  // Until the image named them, containerd might have removed layers.
  const left = exitCode === 0 ? await blobsIn(programs, signal) : new Set<string>();
  return [...omitted].every((digest) => left.has(digest));
}

/** Returns the digests of the blobs that containerd has. */
async function blobsIn({ run, cwd }: Programs, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const { stdout } = await run(['ctr', 'content', 'list', '--quiet'], { cwd, signal });
  return new Set(Buffer.from(stdout).toString('utf8').split('\n'));
}
