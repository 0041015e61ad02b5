import {
  type BlobWriter,
  copyImage,
  fromBytes,
  type LocalStore,
  type Provider,
  type StoredBlob,
  useStored,
} from '@tbuild/content';
import { cleanPath, readArchive, UnpackGuard, type UnpackLimits } from '@tbuild/diff';
import { TbuildError } from '@tbuild/errors';
import {
  Annotation,
  type Descriptor,
  encodeImage,
  isIndex,
  type Layer,
  layerMediaType,
  parseImageConfig,
  parseJson,
  parseManifest,
  parseReference,
  type Reference,
} from '@tbuild/oci';
import { checkDiffIds } from './check-diff-ids.ts';

/** An image found in an archive. */
export interface LoadedImage {
  readonly target: Descriptor;
  /** The names that the archive gives it. */
  readonly names: readonly Reference[];
}

interface Local {
  readonly content: LocalStore;
  /** What an archive may take. */
  readonly unpackLimits?: UnpackLimits;
}

interface Archive {
  /** Returns the stored blob of a file in the archive, after following links. */
  find(name: string): StoredBlob | undefined;
  readonly local: Local;
}

/** The images of an archive, and what serves their blobs. */
export interface OpenArchive {
  readonly images: readonly LoadedImage[];
  readonly provider: Provider;
}

/**
 * Loads the images of an archive into the store: `docker save` of any version, or an OCI image layout in a tar,
 * compressed or not. Writes only blobs, and gives no names.
 * @throws TbuildError USAGE for any other archive, NOT_FOUND for a missing blob, DIGEST_MISMATCH for a layer that does
 * not match the configuration, SNAPSHOT for a damaged archive.
 */
export async function loadImages(
  bytes: AsyncIterable<Uint8Array>,
  local: Local,
  signal: AbortSignal,
): Promise<readonly LoadedImage[]> {
  const { images } = await openArchive(bytes, local, signal);
  for (const { target } of images) await checkImage(target, local, signal);
  return images;
}

/**
 * Checks that all blobs of an image or index are in the store, and that the layers are those of the configuration.
 * @throws TbuildError NOT_FOUND, DIGEST_MISMATCH
 */
export async function checkImage(target: Descriptor, local: Local, signal: AbortSignal): Promise<void> {
  await copyImage(target, { from: local.content, to: local.content }, { signal });
  await checkDiffIds(target, local, signal);
}

/**
 * Writes the files of an archive to the store and finds its images, of which it checks nothing and names none. The provider
 * reports a blob of the archive that is damaged as such, not as missing.
 * @throws TbuildError USAGE for any other archive, NOT_FOUND for a missing file, SNAPSHOT for a damaged archive.
 */
export async function openArchive(
  bytes: AsyncIterable<Uint8Array>,
  local: Local,
  signal: AbortSignal,
): Promise<OpenArchive> {
  const archive = await storeFiles(bytes, local, signal);
  const [index, manifests] = [readJson(archive, 'index.json'), readJson(archive, 'manifest.json')];
  const images = index === undefined ? await loadDocker(manifests, archive) : await loadLayout(index, archive);
  const { content } = local;
  const provider: Provider = {
    has: content.has,
    async read(target, within) {
      const found = archive.find(blobPath(target));
      if (found === undefined || found.digest === target.digest) return content.read(target, within);
      throw new TbuildError('DIGEST_MISMATCH', `Blob ${target.digest} of the archive has the digest ${found.digest}`);
    },
  };
  return { images, provider };
}

function blobPath({ digest }: Pick<Descriptor, 'digest'>): string {
  return `blobs/${digest.replace(':', '/')}`;
}

/** Stores every file as a blob. Nearly all files are blobs; the few others are small and unreferenced. */
async function storeFiles(bytes: AsyncIterable<Uint8Array>, local: Local, signal: AbortSignal): Promise<Archive> {
  const blobs = new Map<string, StoredBlob>();
  const links = new Map<string, string>();
  const clean = (name: string): string => cleanPath(name).join('/');
  const guard = new UnpackGuard(local.unpackLimits);
  await readArchive(
    bytes,
    ({ name, type, linkName }) => {
      const path = clean(name);
      guard.addName(path + linkName);
      // In old archives, layers that images share are links: `../ID/layer.tar`.
      if (type === 'symlink') links.set(path, clean(`${path}/../${linkName}`));
      if (type === 'link') links.set(path, clean(linkName));
      return type === 'file' ? storing(local.content.createWriter(), (blob) => void blobs.set(path, blob)) : undefined;
    },
    { signal, guard },
  );
  return { find: (name) => blobs.get(clean(name)) ?? blobs.get(links.get(clean(name)) ?? ''), local };
}

function storing(writer: BlobWriter, done: (blob: StoredBlob) => void) {
  return {
    write: (bytes: Uint8Array) => writer.write(bytes),
    end() {
      done(writer.commit());
      writer[Symbol.dispose]();
    },
    abort: () => writer[Symbol.dispose](),
  };
}

async function loadLayout(document: unknown, { find, local }: Archive): Promise<readonly LoadedImage[]> {
  const index = parseManifest(Buffer.from(JSON.stringify(document)));
  const entries = isIndex(index) ? index.manifests : [];
  const images = new Map<string, LoadedImage>();
  for (const { annotations = {}, ...entry } of entries) {
    const file = find(blobPath(entry));
    if (file === undefined && useStored(local.content, entry.digest) === undefined) throw lacks(entry.digest);
    const name = nameOf(annotations[Annotation.containerdName] ?? annotations[Annotation.refName]);
    const known = images.get(entry.digest)?.names ?? [];
    images.set(entry.digest, { target: entry, names: name === undefined ? known : [...known, name] });
  }
  return [...images.values()];
}

/** Parses a name. Some tools write a bare tag, which names no image. */
function nameOf(text: string | undefined): Reference | undefined {
  if (text === undefined || !/[/:]/.test(text)) return undefined;
  try {
    return parseReference(text);
  } catch {
    return undefined;
  }
}

async function loadDocker(document: unknown, archive: Archive): Promise<readonly LoadedImage[]> {
  if (!Array.isArray(document)) {
    throw new TbuildError('USAGE', 'The archive is not an image: index.json and manifest.json are missing', {
      hint: 'Load an archive made by docker save, podman save or -o type=oci. For a tar of files, use ADD',
    });
  }
  const loaded: LoadedImage[] = [];
  for (const entry of document) loaded.push(await loadDockerImage(entry, archive));
  return loaded;
}

async function loadDockerImage(entry: unknown, archive: Archive): Promise<LoadedImage> {
  const { local } = archive;
  const { Config, RepoTags, Layers }: Readonly<Record<string, unknown>> = Object(entry);
  if (typeof Config !== 'string')
    throw new TbuildError('USAGE', 'An image in manifest.json of the archive has no "Config"');
  const config = documentOf(required(archive, Config), Config, local);
  const { diffIds, ...image } = parseImageConfig(config);
  const files = textsIn(Layers);
  const layers = diffIds.map((diffId, at): Layer => {
    const blob = required(archive, files[at] ?? diffId);
    return {
      diffId,
      descriptor: { mediaType: layerMediaType(blob.digest === diffId ? 'uncompressed' : 'gzip'), ...blob },
    };
  });
  const encoded = encodeImage({ ...image, layers, document: config });
  for (const { descriptor, bytes } of [encoded.config, encoded.manifest])
    await local.content.write(fromBytes(bytes), descriptor);
  return { target: encoded.manifest.descriptor, names: textsIn(RepoTags).map(parseReference) };
}

/** Returns the elements of a list, with empty texts for what is no text. */
function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map((each) => (typeof each === 'string' ? each : '')) : [];
}

function required({ find }: Archive, name: string): StoredBlob {
  const blob = find(name);
  if (blob === undefined) throw lacks(name);
  return blob;
}

/** In bytes. The largest configurations and manifests are some megabytes. */
const LARGEST_DOCUMENT = 64 * 1024 * 1024;

function documentOf({ digest, size }: StoredBlob, name: string, { content }: Local): Buffer {
  if (size > LARGEST_DOCUMENT)
    throw new TbuildError('USAGE', `File ${JSON.stringify(name)} in the archive has ${size} bytes: it is no document`);
  const bytes = useStored(content, digest);
  if (bytes === undefined) throw lacks(name);
  return bytes;
}

function lacks(name: string): TbuildError {
  return new TbuildError('NOT_FOUND', `File ${JSON.stringify(name)} is missing from the archive`, {
    hint: 'Save the image again: the archive may be truncated',
  });
}

function readJson({ find, local }: Archive, name: string): unknown {
  const blob = find(name);
  if (blob === undefined) return undefined;
  const bytes = documentOf(blob, name, local);
  try {
    return parseJson(bytes);
  } catch (cause) {
    throw new TbuildError('USAGE', `File ${JSON.stringify(name)} in the archive is not valid JSON`, { cause });
  }
}
