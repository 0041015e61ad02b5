import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { ResultId } from '@tbuild/cache';
import { errnoName } from '@tbuild/errors';
import { digestOf, hexOf, isDigest, parseDescriptor, type Digest, type Layer } from '@tbuild/oci';
import type { Snapshot } from '@tbuild/snapshot';
import type { Worker } from './worker.ts';

/** Makes the tree of a base image; only called when a step needs its files. */
export type ExtractImage = () => Promise<Snapshot>;

/**
 * What finished steps gave, by result: a tree, a layer, and digests of parts of the tree. All are
 * written once and shared by every build on the store; the layer is packed from the tree on demand.
 */
export interface StepResults {
  /** Whether the result can be used: as a tree, or at least as a layer of an image. */
  has(result: ResultId): Promise<boolean>;
  snapshot(result: ResultId): Promise<Snapshot>;
  layer(result: ResultId): Promise<Layer>;
  /** For a result whose layer is another's (`--link`). */
  saveLayer(result: ResultId, layer: Layer): void;
  /** A digest of a part of the tree that `selector` describes, computed once for all builds. */
  contentDigest(result: ResultId, selector: string, compute: () => Promise<Digest>): Promise<Digest>;
  addImage(result: ResultId, extract: ExtractImage): void;
}

export function createStepResults(worker: Pick<Worker, 'root' | 'snapshots' | 'differ' | 'content'>): StepResults {
  const images = new Map<ResultId, ExtractImage>();
  const snapshots = new Map<ResultId, Promise<Snapshot>>();
  const layers = new Map<ResultId, Promise<Layer>>();
  const layerFile = (result: ResultId): string => join(worker.root, 'layers', hexOf(result));

  const findSnapshot = async (result: ResultId): Promise<Snapshot> => {
    const known = await worker.snapshots.stat(hexOf(result));
    if (known !== undefined) return known;
    const extract = images.get(result);
    if (extract === undefined) throw new Error(`Result ${result} has no snapshot`);
    return extract();
  };
  const findLayer = async (result: ResultId): Promise<Layer> => {
    const known = readLayer(layerFile(result));
    if (known !== undefined && existsSync(worker.content.path(known.descriptor.digest))) return known;
    const { directories } = await once(snapshots, result, findSnapshot);
    const upper = directories.at(-1);
    if (upper === undefined) throw new Error(`Result ${result} is an empty tree and has no layer`);
    const layer = await worker.differ.pack(upper, directories.slice(0, -1));
    writeOnce(layerFile(result), JSON.stringify(layer));
    return layer;
  };

  return {
    async has(result) {
      return images.has(result) || (await worker.snapshots.stat(hexOf(result))) !== undefined;
    },
    snapshot: (result) => once(snapshots, result, findSnapshot),
    layer: (result) => once(layers, result, findLayer),
    saveLayer: (result, layer) => writeOnce(layerFile(result), JSON.stringify(layer)),
    async contentDigest(result, selector, compute) {
      const file = join(worker.root, 'digests', hexOf(result), hexOf(digestOf(selector)));
      const known = readText(file);
      if (known !== undefined && isDigest(known)) return known;
      const digest = await compute();
      writeOnce(file, digest);
      return digest;
    },
    addImage: (result, extract) => void images.set(result, extract),
  };
}

function once<T>(memo: Map<ResultId, Promise<T>>, result: ResultId, make: (result: ResultId) => Promise<T>): Promise<T> {
  const known = memo.get(result);
  if (known !== undefined) return known;
  const made = make(result);
  memo.set(result, made);
  return made;
}

function readLayer(file: string): Layer | undefined {
  const text = readText(file);
  if (text === undefined) return undefined;
  try {
    const { descriptor, diffId }: { descriptor?: unknown; diffId?: unknown } = JSON.parse(text);
    if (typeof diffId === 'string' && isDigest(diffId)) return { descriptor: parseDescriptor(descriptor), diffId };
  } catch {
    // A file that a crash of the machine left incomplete is the same as none.
  }
  return undefined;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function writeOnce(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${randomUUID()}`;
  writeFileSync(temporary, text);
  renameSync(temporary, file);
}
