import { runCooperatively } from '@tbuild/concurrency';
import { type EarlierCopy, type PlacedCopy, writeLayer } from '@tbuild/copy';
import type { CopyOp, CopySelection, ResultId, Step } from '@tbuild/graph';
import { PACK_TREE, writeLayerInSubprocess } from '@tbuild/layers';
import { canonicalJson, digestOf, hexOf, type Digest } from '@tbuild/oci';
import type { TreeOutline } from '@tbuild/snapshot';
import type { Op, Solved } from '@tbuild/solver';
import { type ImageLayers, scheduleLayerPacking } from '../image-layers.ts';
import { keyOf } from '../key-of.ts';
import { isKeyedResult, keyedResult } from '../run-result.ts';
import { gatherTrees } from '../trees.ts';
import { openCopyMemory, type CopyMemory } from './copy-memory.ts';
import { strategyOf } from './copy-strategy.ts';
import { type EarlyCopy, type EarlyCopyPorts, openEarlyCopy } from './early-copy.ts';
import { openFileInput, type FileInput, type FilePorts, type ListedFiles } from './file-input.ts';
import { copyParts } from './key-parts.ts';
import { type CopyPart, makeTree } from './make-tree.ts';
import { isNumeric } from './owner.ts';
import { placeCopy, type PlacePorts } from './place-copy.ts';

/** What COPY and ADD use. */
export interface CopyPorts extends FilePorts, ImageLayers, EarlyCopyPorts {
  /** Returns what an imported cache knows of the tree of a result. */
  outlineOf(result: ResultId): TreeOutline | undefined;
}

/**
 * Creates the op of COPY and ADD. The same files on the same base give the same tree, except for times, so the key is
 * usually the result.
 */
export function copyOp(op: CopyOp, step: Step, ports: CopyPorts): Op<ResultId> {
  const { epoch } = ports;
  const early = op.more === undefined ? openEarlyCopy(step, ports) : undefined;
  return {
    anticipate: (allowed) => early?.allow(allowed),
    async prepare({ base, sources }, signal) {
      const onListed = async (selection: CopySelection, input: ListedFiles): Promise<void> =>
        early?.onListed({ op, selection, input, base: base?.result }, signal);
      const parts = await openParts({ op, sources }, ports, { signal, onListed });
      early?.onKeyed();
      const { chown, chmod, destination, exclude, parents } = op;
      const content = parts.map((part) => ({
        content: part.content,
        unpack: part.selection.unpack,
        keepOwner: part.selection.keepOwner,
      }));
      const key = keyOf({ copy: { chown, chmod, destination, exclude, parents }, base: base?.result, content, epoch });
      const outline = await outlineBelow({ op, step, parts, base: base?.result }, ports);
      const copy = { result: keyedResult(key, step), op, step, parts, base: base?.result, outline, early };
      const below = outline === undefined ? base?.result : undefined;
      return {
        key,
        gather: () => gatherTrees([below, ...sources.map(({ result }) => result)], ports),
        run: () => makeCopy(copy, ports, signal),
        canGive: (result) => isKeyedResult(key, result),
        parts: () => copyParts(op, parts, { base: base?.result, epoch }),
      };
    },
  };
}

/** A copy whose files are keyed. */
interface KeyedCopy {
  readonly result: ResultId;
  readonly op: CopyOp;
  readonly step: Step;
  readonly parts: readonly KeyedPart[];
  readonly base: ResultId | undefined;
  readonly outline?: TreeOutline;
  readonly early?: EarlyCopy;
}

/** Returns the outline of the base if the layer of the copy can be written with no more than that. */
async function outlineBelow(
  { op, step, parts, base }: Pick<KeyedCopy, 'op' | 'step' | 'parts' | 'base'>,
  { snapshots, outlineOf, leafSteps }: Pick<CopyPorts, 'snapshots' | 'outlineOf' | 'leafSteps'>,
): Promise<TreeOutline | undefined> {
  const only = onlyInput(parts);
  if (base === undefined || only === undefined || only.selection.unpack || !leafSteps.has(step.id)) return undefined;
  if (op.chown !== undefined && !isNumeric(op.chown)) return undefined;
  const outline = outlineOf(base);
  return outline !== undefined && (await snapshots.stat(hexOf(base))) === undefined ? outline : undefined;
}

async function makeCopy(copy: KeyedCopy, ports: CopyPorts, signal: AbortSignal): Promise<ResultId> {
  const { result, step, base } = copy;
  const { results, content } = ports;
  const memory = await memoryOf(copy, ports);
  const placed = await placeAlone(copy, memory?.earlier, ports);
  const strategy = placed === undefined ? PACK_TREE : strategyOf({ placed, step, isKeyed: true }, ports);
  const early = await validEarlyCopy(copy);
  const pending = (await early?.layer()) ?? (placed && writeLayerInSubprocess(placed, strategy, { ...ports, signal }));
  await reportCopied(copy, ports);
  if (placed !== undefined && !strategy.makesTree) {
    const layer = await (pending?.layer ?? runCooperatively(writeLayer(placed, content), signal));
    if (layer !== undefined) {
      results.saveLayer(result, { ...layer, parent: base ?? null });
      memory?.remember(result);
      return result;
    }
  }
  await using tree = early?.takeTree() ?? (await makeTree({ ...copy, earlier: memory?.earlier }, ports, signal));
  await tree.commit(hexOf(result));
  // If the layer cannot be written without the tree, it is packed from the tree.
  if (pending !== undefined && strategy.makesTree) results.expectLayer(result, pending.layer);
  memory?.remember(result);
  scheduleLayerPacking(result, step, ports);
  return result;
}

/** Reports the files of contexts, so that a build can warn of those that git ignores. */
async function reportCopied({ parts }: KeyedCopy, { contexts }: Pick<FilePorts, 'contexts'>): Promise<void> {
  for (const { selection, input } of parts)
    if (input !== undefined && selection.from.kind === 'context')
      contexts.onCopied(selection.from.name, await input.select());
}

/** Returns the early copy, unless a file may have changed since without a change of its stats. */
async function validEarlyCopy({ early, parts }: KeyedCopy): Promise<EarlyCopy | undefined> {
  if (onlyInput(parts)?.input.hasStableStat === true) return early;
  await early?.abort();
  return undefined;
}

/** A part of a copy whose files are keyed. */
interface KeyedPart extends CopyPart {
  readonly content: Digest;
  readonly input?: FileInput;
}

/** Returns the only input of a copy that takes everything from one source. */
function onlyInput(parts: readonly KeyedPart[]): { selection: CopySelection; input: FileInput } | undefined {
  const [only, ...others] = parts;
  if (only?.input === undefined || others.length > 0) return undefined;
  return { selection: only.selection, input: only.input };
}

/** Resolves a copy from a single source, whose layer can be written without its tree. */
async function placeAlone(
  { op, step, parts, base, outline }: KeyedCopy,
  earlier: EarlierCopy | undefined,
  ports: PlacePorts & Pick<ImageLayers, 'imageSteps'>,
): Promise<PlacedCopy | undefined> {
  const only = onlyInput(parts);
  if (only === undefined || !ports.imageSteps.has(step.id)) return undefined;
  const copy = await placeCopy({ op, ...only, base, outline }, ports);
  const layer = earlier && ports.results.storedLayer(earlier.result);
  if (copy === undefined || earlier === undefined || layer === undefined) return copy;
  // The earlier layer is read completely, however few files are taken from it.
  if (earlier.archivedBytes < layer.descriptor.size / 2) return copy;
  return { ...copy, earlier: { digest: layer.diffId, changed: earlier.changed } };
}

async function memoryOf(
  { op, step, parts, base }: KeyedCopy,
  { leafSteps, store }: Pick<CopyPorts, 'leafSteps' | 'store'>,
): Promise<CopyMemory | undefined> {
  const only = onlyInput(parts);
  return only && openCopyMemory({ op, ...only, base, makes: leafSteps.has(step.id) ? 'layer' : 'tree' }, store);
}

/** A copy, with the solved sources of its step. */
interface CopyToOpen {
  readonly op: CopyOp;
  readonly sources: readonly Solved<ResultId>[];
}

interface OpenOptions {
  readonly signal: AbortSignal;
  onListed(selection: CopySelection, files: ListedFiles): Promise<void>;
}

async function openParts(copy: CopyToOpen, ports: FilePorts, options: OpenOptions): Promise<readonly KeyedPart[]> {
  const parts: KeyedPart[] = [];
  for (const selection of [copy.op, ...(copy.op.more ?? [])])
    parts.push(await openPart({ ...copy, selection }, ports, options));
  return parts;
}

async function openPart(
  { op, sources, selection }: CopyToOpen & Pick<KeyedPart, 'selection'>,
  ports: FilePorts,
  { signal, onListed }: OpenOptions,
): Promise<KeyedPart> {
  const { from } = selection;
  if (from.kind === 'inline') return { selection, content: digestOf(canonicalJson(from.files)) };
  // An octal mode replaces the modes of the files; a symbolic one changes them.
  const anyMode = typeof op.chmod === 'number' ? { anyMode: true } : {};
  const options = { sources: selection.sources, exclude: op.exclude, parents: op.parents, ...anyMode };
  const input = await openFileInput({ from, sources, options }, ports, {
    signal,
    onListed: (files) => onListed(selection, files),
  });
  const keepOwner = selection.keepOwner || input.owner === 'keep';
  return { selection: { ...selection, keepOwner }, content: input.content, input };
}
