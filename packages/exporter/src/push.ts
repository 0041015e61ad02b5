import { getOrMake } from '@tbuild/concurrency';
import { copyImage } from '@tbuild/content';
import { prefixed, TbuildError } from '@tbuild/errors';
import type { VariantStore } from '@tbuild/layers';
import {
  childrenOf,
  familiarReference,
  formatReference,
  formatRepository,
  parseManifest,
  type Descriptor,
  type Digest,
  type Reference,
} from '@tbuild/oci';
import type { Repository } from '@tbuild/registry';
import type { ImageFormat } from '@tbuild/spec';
import type { StoredExport } from './encode/compress-stored.ts';
import { encodeCompressed, exportedTo, preparingCompressed, type EncodedExport } from './encode/encode-export.ts';
import type { Exportable, Exporter, ExportRun } from './exporter.ts';
import { reportTransfers } from './transfer-report.ts';

/** Layers are compressed with gzip unless a compression is given. */
export interface PushOptions extends ImageFormat {
  /** Opens a repository with the right to push. */
  openRepository(reference: Reference): Repository | Promise<Repository>;
  readonly store: VariantStore;
  /** Push without a tag: only the digest identifies the image. */
  readonly byDigest?: boolean;
}

/**
 * Pushes the image to the registries of its names. Sends only blobs that they lack, mounts those of other repositories
 * of the same registry, and adds each further tag of a repository with one request. A name refers to the image only
 * when all of it is there.
 * @throws TbuildError USAGE without a name, RegistryError.
 */
export function push(options: PushOptions): Exporter {
  return {
    name: 'exporting to image',
    ...preparingCompressed(options),
    async export(result, report, signal) {
      if (result.names.length === 0) {
        throw new TbuildError('USAGE', 'Cannot push an image without a name', { hint: 'Name it with -t' });
      }
      const encoded = await encodeCompressed(result, options, { report, signal });
      const wanted = options.byDigest === true ? withoutTags(result.names) : result.names;
      const { root, content } = encoded;
      const target = { openRepository: options.openRepository, sourcesOf: result.sourcesOf, report, signal };
      await pushStored({ root, content, rootBytes: rootBytes(encoded) }, wanted, target);
      return exportedTo(wanted.map(familiarReference).join(', '), encoded);
    },
  };
}

export interface PushStoredOptions
  extends Pick<PushOptions, 'openRepository'>, Pick<Exportable, 'sourcesOf'>, ExportRun {}

/** Pushes an image or index unchanged to the registries of these names, as {@link push} does. */
export async function pushStored(
  stored: StoredExport,
  names: readonly Reference[],
  options: PushStoredOptions,
): Promise<void> {
  const pushed: Reference[] = [];
  for (const own of byRepository(names)) {
    try {
      await pushTo(own, { options, stored, pushed });
    } catch (error) {
      throw prefixed(error, `Failed to push ${own.map(familiarReference).join(', ')}`);
    }
    pushed.push(...own.slice(0, 1));
  }
}

interface Push {
  readonly options: PushStoredOptions;
  readonly stored: StoredExport;
  /** Repositories that have the complete image. */
  readonly pushed: readonly Reference[];
}

/** The names of one repository. */
async function pushTo(names: readonly Reference[], { options, stored, pushed }: Push): Promise<void> {
  const { report, signal } = options;
  const [first] = names;
  if (first === undefined) return;
  const repository = await options.openRepository(first);
  const { root, rootBytes, content } = stored;
  const untagged = [...names];
  const putRoot = async (name: Reference): Promise<Descriptor> => {
    const item = `pushing manifest for ${formatReference({ ...name, digest: root.digest })}`;
    report(item, 0);
    const stored = await repository.pushManifest(
      { bytes: rootBytes, mediaType: root.mediaType },
      name.tag ?? root.digest,
      signal,
    );
    report(item, 0, 0);
    return stored;
  };
  // The last document is put under its first tag at once, not under its digest first.
  const to: Pick<Repository, 'has' | 'read' | 'write'> = {
    ...repository,
    has: askingEarly(repository, stored, signal),
    async write(source, expected, within) {
      if (expected?.digest !== root.digest) return repository.write(source, expected, within);
      return putRoot(untagged.shift() ?? first);
    },
  };
  const sourcesOf = (blob: Digest) => [...pushed, ...(options.sourcesOf?.(blob) ?? [])];
  const mount = mountFrom(repository, { target: first, sourcesOf, signal });
  report('pushing layers', 0);
  await copyImage(
    root,
    { from: content, to },
    { signal, mount, trustParents: true, onProgress: reportTransfers(report) },
  );
  report('pushing layers', 0, 0);
  for (const name of untagged) await putRoot(name);
}

/** Asks about the parts of the root at once: most likely it is new, and each question takes a round trip. */
function askingEarly({ has }: Repository, { root, rootBytes }: StoredExport, signal: AbortSignal): Repository['has'] {
  const answers = new Map<Digest, Promise<boolean>>();
  for (const part of childrenOf(parseManifest(rootBytes, root.mediaType)).slice(0, EARLY))
    getOrMake(answers, part.digest, () => has(part, signal)).catch(() => {});
  return (blob, within) => answers.get(blob.digest) ?? has(blob, within);
}

/** Opening more connections than this costs more than it saves. */
const EARLY = 4;

interface MountOptions {
  readonly target: Reference;
  readonly sourcesOf: (blob: Digest) => readonly Reference[];
  readonly signal: AbortSignal;
}

function mountFrom(
  repository: Repository,
  { target, sourcesOf, signal }: MountOptions,
): (blob: Descriptor) => Promise<boolean> {
  return async ({ digest }) => {
    for (const source of sourcesOf(digest)) {
      if (source.registry !== target.registry || source.repository === target.repository) continue;
      if (await repository.mount(digest, source.repository, signal)) return true;
    }
    return false;
  };
}

function rootBytes({ documents }: EncodedExport): Uint8Array {
  const root = documents.at(-1);
  if (root === undefined) throw new Error('There is no image to push');
  return root.bytes;
}

/** Returns each repository once. */
function withoutTags(names: readonly Reference[]): readonly Reference[] {
  return byRepository(names)
    .flatMap((own) => own.slice(0, 1))
    .map((name) => ({ ...name, tag: undefined }));
}

function byRepository(names: readonly Reference[]): readonly (readonly Reference[])[] {
  const groups = new Map<string, Reference[]>();
  for (const name of names) {
    const repository = formatRepository(name);
    groups.set(repository, [...(groups.get(repository) ?? []), name]);
  }
  return [...groups.values()];
}
