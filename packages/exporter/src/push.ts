import { copyImage } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import { familiarReference, formatReference, formatRepository, type Descriptor, type Digest, type Reference } from '@tbuild/oci';
import type { Repository } from '@tbuild/registry';
import type { VariantStore } from './compress-layer.ts';
import { encodeExport, exportedTo, type EncodedExport } from './encode-export.ts';
import type { Exportable, Exporter, ReportExport } from './exporter.ts';
import type { ImageFormat } from './image-format.ts';
import { reportTransfers } from './transfer-report.ts';

/** Layers are compressed with gzip unless a compression is given. */
export interface PushOptions extends ImageFormat {
  /** With the right to push. */
  openRepository(reference: Reference): Repository | Promise<Repository>;
  readonly store: VariantStore;
  /** Gives the image no tag: it is known by its digest only. */
  readonly byDigest?: boolean;
}

/**
 * Sends the image to the registries of its names: only what they lack, blobs of other repositories of the
 * same registry mounted instead of sent; each further tag of a repository is one request. A name stands
 * for the image only when all of it is there.
 * @throws TbuildError USAGE without a name, RegistryError.
 */
export function push(options: PushOptions): Exporter {
  return {
    name: 'exporting to image',
    async export(result, report, signal) {
      if (result.names.length === 0) {
        throw new TbuildError('USAGE', 'An image without a name cannot be pushed', { hint: 'Name it with -t' });
      }
      const encoded = await encodeExport(result, { ...options, compression: options.compression ?? 'gzip' }, report, signal);
      const wanted = options.byDigest === true ? result.names.map((name) => ({ ...name, tag: undefined })) : result.names;
      const pushed: Reference[] = [];
      for (const names of byRepository(wanted)) {
        await pushTo(options.byDigest === true ? names.slice(0, 1) : names, { options, result, encoded, pushed, report, signal });
        pushed.push(...names.slice(0, 1));
      }
      return exportedTo(wanted.map(familiarReference).join(', '), encoded);
    },
  };
}

interface Push {
  readonly options: PushOptions;
  readonly result: Exportable;
  readonly encoded: EncodedExport;
  /** Repositories that have the whole image by now. */
  readonly pushed: readonly Reference[];
  readonly report: ReportExport;
  readonly signal: AbortSignal;
}

/** The names of one repository. */
async function pushTo(names: readonly Reference[], { options, result, encoded, pushed, report, signal }: Push): Promise<void> {
  const [first] = names;
  if (first === undefined) return;
  const repository = await options.openRepository(first);
  const { root } = encoded;
  const untagged = [...names];
  const putRoot = async (name: Reference): Promise<Descriptor> => {
    const item = `pushing manifest for ${formatReference({ ...name, digest: root.digest })}`;
    report(item, 0);
    const stored = await repository.pushManifest(rootBytes(encoded), root.mediaType, name.tag ?? root.digest, signal);
    report(item, 0, 0);
    return stored;
  };
  // The last document goes in under its first tag at once rather than under its digest before.
  const to: Pick<Repository, 'has' | 'read' | 'write'> = {
    ...repository,
    async write(source, expected, within) {
      if (expected?.digest !== root.digest) return repository.write(source, expected, within);
      return putRoot(untagged.shift() ?? first);
    },
  };
  const mount = mountFrom(repository, first, (blob) => [...pushed, ...(result.sourcesOf?.(blob) ?? [])], signal);
  report('pushing layers', 0);
  await copyImage(encoded.content, to, root, { signal, mount, trustParents: true, onProgress: reportTransfers(report) });
  report('pushing layers', 0, 0);
  for (const name of untagged) await putRoot(name);
}

function mountFrom(
  repository: Repository,
  target: Reference,
  sourcesOf: (blob: Digest) => readonly Reference[],
  signal: AbortSignal,
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

function byRepository(names: readonly Reference[]): readonly (readonly Reference[])[] {
  const groups = new Map<string, Reference[]>();
  for (const name of names) {
    const repository = formatRepository(name);
    groups.set(repository, [...(groups.get(repository) ?? []), name]);
  }
  return [...groups.values()];
}
