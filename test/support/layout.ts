import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

export interface LayoutDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly os: string; readonly architecture: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

interface LayoutManifest {
  readonly schemaVersion: number;
  readonly mediaType?: string;
  readonly config: LayoutDescriptor;
  readonly layers: readonly LayoutDescriptor[];
}

interface LayoutConfig {
  readonly architecture: string;
  readonly variant?: string;
  readonly os: string;
  readonly created?: string;
  readonly author?: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly rootfs: { readonly type: string; readonly diff_ids: readonly string[] };
  readonly history?: readonly LayoutHistory[];
}

export interface LayoutHistory {
  readonly created?: string;
  readonly created_by?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}

/** An image in an OCI layout directory, with blobs read on demand. */
export interface LayoutImage {
  readonly layout: string;
  readonly manifest: LayoutManifest;
  readonly manifestDescriptor: LayoutDescriptor;
  readonly config: LayoutConfig;
}

/** Returns all images of an OCI layout, including those inside an index. */
export function imagesOf(layout: string): LayoutImage[] {
  if (!existsSync(join(layout, 'oci-layout'))) throw new Error(`${layout} is not an OCI layout`);
  return JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')).manifests.flatMap((root: LayoutDescriptor) =>
    imagesBelow(layout, root),
  );
}

/** Returns the image with this config digest (the image ID); throws when no reference of the layout leads to it. */
export function imageWithId(layout: string, id: string): LayoutImage {
  const image = imagesOf(layout).find(({ manifest }) => manifest.config.digest === id);
  if (image === undefined) throw new Error(`index.json of ${layout} leads to no image with the config ${id}`);
  return image;
}

/** Reads a blob of the layout. */
export function readBlob(layout: string, descriptor: LayoutDescriptor): Buffer {
  return readFileSync(join(layout, 'blobs', descriptor.digest.replace(':', '/')));
}

/** Reads a layer's archive without compression. */
export function readLayer(layout: string, layer: LayoutDescriptor): Buffer {
  const blob = readBlob(layout, layer);
  return blob[0] === 0x1f && blob[1] === 0x8b ? gunzipSync(blob) : blob;
}

function imagesBelow(layout: string, descriptor: LayoutDescriptor): LayoutImage[] {
  const document = JSON.parse(readBlob(layout, descriptor).toString());
  if (Array.isArray(document.manifests)) {
    return document.manifests.flatMap((child: LayoutDescriptor) => imagesBelow(layout, child));
  }
  const config = JSON.parse(readBlob(layout, document.config).toString());
  // Empty lists are null in documents that Go wrote.
  const manifest: LayoutManifest = { ...document, layers: document.layers ?? [] };
  const rootfs = { ...config.rootfs, diff_ids: config.rootfs?.diff_ids ?? [] };
  return [{ layout, manifest, manifestDescriptor: descriptor, config: { ...config, rootfs } }];
}
