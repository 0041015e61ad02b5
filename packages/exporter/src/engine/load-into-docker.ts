import { fromBytes, type LocalStore } from '@tbuild/content';
import type { DockerEngine } from '@tbuild/engine';
import { hasCode } from '@tbuild/errors';
import type { Digest, Reference } from '@tbuild/oci';
import { encodeForDocker, withoutAttestations } from '../archive/docker-archive.ts';
import { imageArchive } from '../archive/image-archive.ts';
import { encodeExport, exportedTo, hasIndex, type EncodedExport } from '../encode/encode-export.ts';
import type { Exportable, Exported, ExportRun } from '../exporter.ts';
import { layersInEngine } from './layers-in-engine.ts';
import { loadedNames } from './loaded-names.ts';

export interface DockerToLoad {
  readonly engine: DockerEngine;
  /** The engine's name for people. */
  readonly name: string;
  readonly content: LocalStore;
}

/**
 * Loads the image through Docker's API: an index into the image store of containerd, else the image alone. Sends only the
 * layers that the engine lacks, and nothing of an image that it has: that only gets its names. The archive never becomes a
 * file.
 */
export async function loadIntoDocker(
  { engine, name, content }: DockerToLoad,
  result: Exportable,
  run: ExportRun,
): Promise<Exported> {
  const { signal } = run;
  const takesIndex = hasIndex(result) && (await engine.facts(signal)).hasContainerdStore;
  const encoded = await (takesIndex ? encodeExport : encodeForDocker)(result, {}, run);
  const ids = await engine.imageIds(signal);
  const id = ids.find((one) => isIdOf(encoded, one));
  if (id === undefined || !(await engine.tagImage(id, result.names, signal)))
    await send({ encoded, names: result.names, ids }, { engine, content }, run);
  for (const { descriptor, bytes } of encoded.documents) await content.write(fromBytes(bytes), descriptor);
  return {
    ...exportedTo(`${loadedNames(result, encoded)} in ${name}`, encoded),
    ...(takesIndex ? {} : withoutAttestations(result)),
  };
}

/** Docker's own store names an image by its configuration, that of containerd by its manifest or index. */
function isIdOf({ root, images }: EncodedExport, id: Digest): boolean {
  const [only] = images;
  return id === root.digest || (images.length === 1 && id === only?.config.descriptor.digest);
}

interface ToSend {
  readonly encoded: EncodedExport;
  readonly names: readonly Reference[];
  /** The images that the engine has. */
  readonly ids: readonly Digest[];
}

async function send(
  { encoded, names, ids }: ToSend,
  { engine, content }: Pick<DockerToLoad, 'engine' | 'content'>,
  run: ExportRun,
): Promise<void> {
  const { signal } = run;
  const omitted = await layersInEngine(encoded, { engine, ids, content }, signal);
  try {
    await engine.loadImage(imageArchive(encoded, names, { ...run, omitted }), signal);
  } catch (error) {
    // The engine may have removed a layer since it was asked.
    if (omitted.size === 0 || !hasCode(error, 'PROCESS_FAILED')) throw error;
    await engine.loadImage(imageArchive(encoded, names, run), signal);
  }
}
