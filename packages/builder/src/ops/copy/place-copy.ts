import type { ResultId } from '@tbuild/cache';
import { isLarge, type SelectedSource } from '@tbuild/context';
import type { CopyOp, CopySelection } from '@tbuild/graph';
import type { Layer } from '@tbuild/oci';
import { openLayeredTree, type Snapshot } from '@tbuild/snapshot';
import { type CopyOptions, type Owner, type PlacedCopy } from '@tbuild/copy';
import { compressedForm, type PendingLayer } from '@tbuild/layers';
import type { Worker } from '../../worker.ts';
import { type FileInput, sizeOf } from './file-input.ts';
import type { StepContext, Underway } from '../op-environment.ts';
import { ownerIn } from './owner.ts';

/** The part of a copy that reads files of a context or of a step. */
export interface CopyFrom {
  readonly op: CopyOp;
  readonly selection: CopySelection;
  readonly input: Pick<FileInput, 'select' | 'hasher' | 'isSettled'>;
  readonly base: ResultId | undefined;
}

/** What it takes to settle where files go. */
export interface Placing extends Pick<StepContext, 'epoch'> {
  readonly results: { snapshot(result: ResultId): Promise<Pick<Snapshot, 'directories'>> };
  readonly worker: Pick<Worker, 'flavour'>;
}

/** Settles places and owners of a copy that unpacks nothing. */
export async function placeCopy(
  { op, selection, input, base }: CopyFrom,
  { worker: { flavour }, results, epoch }: Placing,
): Promise<PlacedCopy | undefined> {
  if (selection.unpack) return undefined;
  const lowers = base === undefined ? [] : (await results.snapshot(base)).directories;
  const owner = op.chown === undefined ? undefined : ownerIn(openLayeredTree(lowers, flavour), op.chown, base);
  const sources = await input.select();
  const options = placementOf(sources, input, owner, epoch);
  return { sources, target: { ...op, ...selection }, options, lowers, flavour, isSettled: input.isSettled };
}

/** As few are packed before another process has begun. */
const LARGE = { files: 1000, bytes: 1 << 24 };

/** Whether it pays to write the layer of a copy of these in another process. */
export function isLargeCopy(sources: readonly SelectedSource[]): boolean {
  const { files, bytes } = sizeOf(sources);
  return files >= LARGE.files || bytes >= LARGE.bytes;
}

/** What it takes to write a layer in another process. */
export interface Aside extends Pick<StepContext, 'preparation' | 'topmost' | 'step'>, Underway {
  readonly worker: Pick<Worker, 'layerProcess' | 'store' | 'content'>;
}

/**
 * Begins to write the layer of a large copy in another process, and to get it ready for the outputs. When all that is wanted of it
 * is its compressed form, and that can be made from the beginning, nothing else is kept: then there is no layer if that failed.
 */
export function writeAside(
  copy: PlacedCopy | undefined,
  { worker, preparation, topmost, step, signal }: Aside,
): Required<PendingLayer> | undefined {
  if (copy?.isSettled !== true || !isLargeCopy(copy.sources)) return undefined;
  const sharesBytes = copy.earlier !== undefined || !isMostlyLargeFiles(copy.sources);
  const keep = preparation.needsBytes || !preparation.isIdle() || !topmost.has(step.id) || sharesBytes;
  const coming = worker.layerProcess?.start(copy, AbortSignal.any([signal, preparation.signal]), { keep });
  if (coming === undefined) return undefined;
  const prepared = preparation.add(coming);
  if (keep) return coming;
  return { ...coming, layer: prepared.then(() => compressedOnly(coming, worker)).catch(() => undefined) };
}

async function compressedOnly({ layer }: PendingLayer, worker: Aside['worker']): Promise<Layer | undefined> {
  const made = await layer;
  return made && compressedForm(made.diffId, worker) && made;
}

/** The next copy takes small files that did not change from the uncompressed layer; large ones it reads where they are. */
function isMostlyLargeFiles(sources: readonly SelectedSource[]): boolean {
  let bytes = 0;
  for (const { entry, files } of sources) {
    if (isLarge(entry)) bytes += entry.stats.size;
    for (const file of files) if (isLarge(file.entry)) bytes += file.entry.stats.size;
  }
  return bytes >= sizeOf(sources).bytes / 2;
}

export function placementOf(
  sources: readonly SelectedSource[],
  { hasher }: Pick<FileInput, 'hasher'>,
  owner: Owner | undefined,
  epoch: number | undefined,
): CopyOptions {
  return { owner, now: epoch ?? newestOf(sources), fixedTime: epoch, hasher };
}

/** Directories that no source stands for take the time of the newest source: the same input gives the same bytes. */
function newestOf(sources: readonly SelectedSource[]): number {
  return sources.reduce((newest, { entry }) => Math.max(newest, entry.stats.mtimeMs), 0);
}
