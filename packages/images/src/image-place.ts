import { resolve as resolvePath } from 'node:path';
import { openLayout, readWhole, type Provider } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import {
  formatReference,
  parseManifest,
  parseReference,
  type Descriptor,
  type Index,
  type Manifest,
  type Reference,
} from '@tbuild/oci';
import type { Registries } from './places.ts';

/** Where an image is read or written: a repository of a registry, or a directory with an OCI image layout. */
export type ImagePlace =
  | { readonly kind: 'registry'; readonly reference: Reference }
  | {
      readonly kind: 'layout';
      readonly path: string;
      /** A tag or digest in its index. */
      readonly name?: string;
    };

const LAYOUT = 'oci-layout://';

/**
 * Reads the name of an image in a registry, or `oci-layout://DIRECTORY[:TAG][@DIGEST]`.
 * @throws TbuildError USAGE
 */
export function parsePlace(text: string, cwd: string): ImagePlace {
  if (!text.startsWith(LAYOUT)) return { kind: 'registry', reference: parseReference(text) };
  const [, path, tag, digest] =
    /^(.+?)(?::([\w][\w.-]*))?(?:@(sha256:[a-f0-9]{64}))?$/.exec(text.slice(LAYOUT.length)) ?? [];
  if (path !== undefined) return { kind: 'layout', path: resolvePath(cwd, path), name: digest ?? tag };
  throw new TbuildError(
    'USAGE',
    `Invalid image ${JSON.stringify(text)}: expected oci-layout://DIRECTORY[:TAG][@DIGEST]`,
  );
}

/** The document that a place points to, with access to everything below it. */
export interface PlacedDocument {
  readonly root: Descriptor;
  /** The bytes as they are there. */
  readonly bytes: Uint8Array;
  readonly document: Manifest | Index;
  readonly provider: Provider;
}

/**
 * Reads the document that a place points to.
 * @throws RegistryError; TbuildError REGISTRY for a document that is not an image, NOT_FOUND for a layout without it.
 */
export async function readPlace(
  place: ImagePlace,
  registries: Registries,
  signal: AbortSignal,
): Promise<PlacedDocument> {
  const { root, provider } = await openPlace(place, registries, signal);
  const bytes = await readWhole(provider, root, signal);
  return { root, bytes, document: parseManifest(bytes, root.mediaType), provider };
}

/**
 * Finds the document that a place points to.
 * @throws as {@link readPlace}.
 */
export async function openPlace(
  place: ImagePlace,
  registries: Registries,
  signal: AbortSignal,
): Promise<Pick<PlacedDocument, 'root' | 'provider'>> {
  if (place.kind === 'layout') {
    const { provider, resolve } = await openLayout(place.path);
    return { root: await resolve(place.name), provider };
  }
  const { reference } = place;
  const repository = await registries.openRepository(reference);
  return {
    root: await repository.resolve(reference.digest ?? reference.tag ?? 'latest', signal),
    provider: repository,
  };
}

/** Names a place for people. */
export function formatPlace(place: ImagePlace): string {
  if (place.kind === 'registry') return formatReference(place.reference);
  return `oci-layout://${place.path}${place.name === undefined ? '' : `${place.name.startsWith('sha256:') ? '@' : ':'}${place.name}`}`;
}
