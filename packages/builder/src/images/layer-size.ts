import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { measureLayer } from '@tbuild/diff';
import { hasCode } from '@tbuild/errors';
import { hexOf, type Descriptor, type Digest } from '@tbuild/oci';
import type { Worker } from '../worker.ts';

type Place = Pick<Worker, 'root' | 'content'>;

/**
 * What the files of a layer have together, in bytes, as Docker counts sizes: measured once for each
 * layer and remembered. A layer whose blob is not in the store counts as the blob does.
 */
export async function layerSize(layer: Descriptor, { root, content }: Place, signal?: AbortSignal): Promise<number> {
  const file = join(root, 'digests', hexOf(layer.digest), 'size');
  const known = Number(readText(file) ?? NaN);
  if (Number.isSafeInteger(known)) return known;
  try {
    const size = await measureLayer(layer, content, signal);
    remember(file, String(size));
    return size;
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND')) return layer.size;
    throw error;
  }
}

/** {@link layerSize} of all layers of an image. */
export async function imageSize(layers: readonly Descriptor[], place: Place): Promise<number> {
  const sizes = new Map<Digest, number>();
  for (const layer of layers) sizes.set(layer.digest, await layerSize(layer, place));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Not measured yet, or not readable: it is measured.
    return undefined;
  }
}

function remember(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${randomUUID()}`;
  writeFileSync(temporary, text);
  renameSync(temporary, file);
}
