import { dirname } from 'node:path';
import { runCooperatively } from '@tbuild/concurrency';
import {
  addFiles,
  copyFiles,
  copyInline,
  type EarlierCopy,
  filesInTree,
  type PlacedCopy,
  writeLayer,
} from '@tbuild/copy';
import type { CopyOp, CopySelection, ResultId, Step } from '@tbuild/graph';
import { chooseStrategy, PACK_TREE, type PendingLayer } from '@tbuild/layers';
import { canonicalJson, digestOf, hexOf, type Digest } from '@tbuild/oci';
import type { Progress } from '@tbuild/progress';
import { createTreeWriter, openLayeredTree, type TreeOutline } from '@tbuild/snapshot';
import type { Op, Solved } from '@tbuild/solver';
import { touch } from '@tbuild/store';
import { type ImageLayers, scheduleLayerPacking } from '../image-layers.ts';
import { keyOf } from '../key-of.ts';
import type { OutputTimes } from '../output-times.ts';
import { isKeyedResult, keyedResult } from '../run-result.ts';
import { gatherTrees, prepareOn, type Trees } from '../trees.ts';
import { openCopyMemory, type CopyMemory } from './copy-memory.ts';
import { type EarlyLayer, type EarlyLayerPorts, openEarlyLayer } from './early-layer.ts';
import { openFileInput, type FileInput, type FilePorts, type ListedFiles } from './file-input.ts';
import { copyParts } from './key-parts.ts';
import { circumstancesOf, startLayer } from './layer-work.ts';
import { isNumeric, ownerIn } from './owner.ts';
import { factsOf, placeCopy, placementOf, type PlacePorts } from './place-copy.ts';

/** What COPY and ADD use. */
export interface CopyPorts extends Trees, FilePorts, OutputTimes, ImageLayers, EarlyLayerPorts {
  readonly progress: Progress;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Returns what an imported cache knows of the tree of a result. */
  outlineOf(result: ResultId): TreeOutline | undefined;
}

/**
 * Creates the op of COPY and ADD. The same files on the same base give the same tree, except for times, so the key is
 * usually the result.
 */
export function copyOp(op: CopyOp, step: Step, ports: CopyPorts): Op<ResultId> {
  const { epoch } = ports;
  const early = op.more === undefined ? openEarlyLayer(step, ports) : undefined;
  return {
    anticipate: (_inputs, signal) => early?.allow(signal),
    async prepare({ base, sources }, signal) {
      const onListed = (selection: CopySelection, input: ListedFiles): void =>
        early?.onListed({ op, selection, input, base: base?.result });
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
  readonly parts: readonly CopyPart[];
  readonly base: ResultId | undefined;
  readonly outline?: TreeOutline;
  readonly early?: EarlyLayer;
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
  const strategy =
    placed === undefined
      ? PACK_TREE
      : chooseStrategy(factsOf(placed, step, ports), circumstancesOf(ports, { isKeyed: true }));
  const pending = (await earlyLayerOf(copy)) ?? (placed && startLayer({ placed, strategy }, ports, signal));
  await reportCopied(copy, ports);
  if (placed !== undefined && !strategy.makesTree) {
    const layer = await (pending?.layer ?? runCooperatively(writeLayer(placed, content), signal));
    if (layer !== undefined) {
      results.saveLayer(result, { ...layer, parent: base ?? null });
      memory?.remember(result);
      return result;
    }
  }
  await copyInto({ ...copy, earlier: memory?.earlier }, ports, signal);
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

/**
 * Returns the layer that was started before the key was known, unless a file may have changed since without a change of
 * its stats.
 */
async function earlyLayerOf({ early, parts }: KeyedCopy): Promise<PendingLayer | undefined> {
  if (onlyInput(parts)?.input.hasStableStat === true) return early?.pending();
  await early?.abort();
  return undefined;
}

/** The files that the instruction takes from one source. Heredocs have no input. */
interface CopyPart {
  readonly selection: CopySelection;
  readonly content: Digest;
  readonly input?: FileInput;
}

/** Returns the only input of a copy that takes everything from one source. */
function onlyInput(parts: readonly CopyPart[]): { selection: CopySelection; input: FileInput } | undefined {
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
  onListed(selection: CopySelection, files: ListedFiles): void;
}

async function openParts(copy: CopyToOpen, ports: FilePorts, options: OpenOptions): Promise<readonly CopyPart[]> {
  const parts: CopyPart[] = [];
  for (const selection of [copy.op, ...(copy.op.more ?? [])])
    parts.push(await openPart({ ...copy, selection }, ports, options));
  return parts;
}

async function openPart(
  { op, sources, selection }: CopyToOpen & Pick<CopyPart, 'selection'>,
  ports: FilePorts,
  { signal, onListed }: OpenOptions,
): Promise<CopyPart> {
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

async function copyInto(
  { result, op, step, parts, base, earlier }: KeyedCopy & { readonly earlier?: EarlierCopy },
  ports: Trees & OutputTimes & Pick<CopyPorts, 'progress' | 'now'>,
  signal: AbortSignal,
): Promise<void> {
  const { flavour, epoch, dockerfileTime } = ports;
  await using active = await prepareOn(base, ports);
  const { upper, lowers } = active;
  const writer = createTreeWriter({ upper, lowers, flavour });
  const owner =
    op.chown === undefined ? undefined : ownerIn(openLayeredTree([...lowers, upper], flavour), op.chown, base);
  const leftOut: string[] = [];
  const onSkippedDevice = (path: string): unknown => leftOut.push(path);
  for (const { selection, input } of parts) {
    if (input === undefined) {
      const files = selection.from.kind === 'inline' ? selection.from.files : [];
      copyInline(files, writer, { target: op, options: { owner, now: dockerfileTime } });
      continue;
    }
    const sources = await input.select();
    const target = { ...op, ...selection };
    const options = { ...placementOf(sources, input, { owner, epoch }), signal };
    if (selection.unpack) {
      const unpacking = { ...options, limits: ports.unpackLimits, onSkippedDevice };
      await addFiles(sources, writer, { target, options: unpacking });
    } else {
      const directory = earlier && (await upperOf(earlier.result, ports));
      const written = earlier && directory ? filesInTree(earlier, directory) : undefined;
      await runCooperatively(copyFiles(sources, writer, { target, options: { ...options, written } }), signal);
      // Files of that tree have more names now, which its size depends on.
      if (directory !== undefined) touch(dirname(directory), ports.now());
    }
  }
  writer.finish();
  warnOfLeftOut(leftOut, step, ports);
  await active.commit(hexOf(result));
}

/** Warns of device nodes that were left out. Images rarely need them, since containers get a new /dev. */
function warnOfLeftOut(
  devices: readonly string[],
  { id: step }: Step,
  { progress }: Pick<CopyPorts, 'progress'>,
): void {
  if (devices.length === 0) return;
  const message = `Device nodes were left out, since only root on this machine can create them: ${devices.join(', ')}`;
  progress.emit({ type: 'warning', step, message });
}

async function upperOf(result: ResultId, { snapshots }: Pick<Trees, 'snapshots'>): Promise<string | undefined> {
  return (await snapshots.stat(hexOf(result)))?.directories.at(-1);
}
