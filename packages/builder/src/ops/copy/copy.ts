import { runCooperatively } from '@tbuild/concurrency';
import { addFiles, copyFiles, copyInline, filesInTree, type PlacedCopy, writeLayer } from '@tbuild/copy';
import type { CopyOp, CopySelection, ResultId } from '@tbuild/graph';
import { chooseStrategy, PACK_TREE, type PendingLayer } from '@tbuild/layers';
import { canonicalJson, digestOf, hexOf, type Digest } from '@tbuild/oci';
import { createTreeWriter, openLayeredTree } from '@tbuild/snapshot';
import type { Op, Solved } from '@tbuild/solver';
import { gatherTrees } from '../gather-trees.ts';
import { keyOf } from '../key-of.ts';
import type { StepContext, Underway } from '../op-environment.ts';
import { prepareOn } from '../prepare-on.ts';
import { isKeyedResult, keyedResult } from '../run-result.ts';
import { scheduleLayerPacking } from '../schedule-layer-packing.ts';
import { openCopyMemory, type CopyMemory } from './copy-memory.ts';
import { type EarlyLayer, openEarlyLayer } from './early-layer.ts';
import { openFileInput, type FileInput, type ListedFiles } from './file-input.ts';
import { copyParts } from './key-parts.ts';
import { circumstancesOf, startLayer } from './layer-work.ts';
import { ownerIn } from './owner.ts';
import { factsOf, placeCopy, placementOf } from './place-copy.ts';

/**
 * Creates the op of COPY and ADD. The same files on the same base give the same tree, except for times, so the key is
 * usually the result.
 */
export function copyOp(op: CopyOp, context: StepContext): Op<ResultId> {
  const early = op.more === undefined ? openEarlyLayer(context) : undefined;
  return {
    anticipate: (_inputs, signal) => early?.allow(signal),
    async prepare({ base, sources }, signal) {
      const onListed = (selection: CopySelection, input: ListedFiles): void =>
        early?.onListed({ op, selection, input, base: base?.result });
      const parts = await openParts(op, sources, { ...context, signal, onListed });
      const { chown, chmod, destination, exclude, parents } = op;
      const content = parts.map((part) => ({
        content: part.content,
        unpack: part.selection.unpack,
        keepOwner: part.selection.keepOwner,
      }));
      const key = keyOf({
        copy: { chown, chmod, destination, exclude, parents },
        base: base?.result,
        content,
        epoch: context.epoch,
      });
      const copy = { result: keyedResult(key, context.step), op, parts, base: base?.result, early };
      return {
        key,
        gather: () => gatherTrees([base?.result, ...sources.map(({ result }) => result)], context),
        run: () => makeCopy(copy, { ...context, signal }),
        canGive: (result) => isKeyedResult(key, result),
        parts: () => copyParts(op, parts, { base: base?.result, epoch: context.epoch }),
      };
    },
  };
}

/** A copy whose files are keyed. */
interface KeyedCopy {
  readonly result: ResultId;
  readonly op: CopyOp;
  readonly parts: readonly CopyPart[];
  readonly base: ResultId | undefined;
  readonly early?: EarlyLayer;
}

async function makeCopy(copy: KeyedCopy, context: StepContext & Underway): Promise<ResultId> {
  const { result, parts, base } = copy;
  const { contexts, results } = context;
  for (const { selection, input } of parts)
    if (input !== undefined && selection.from.kind === 'context')
      contexts.onCopied(selection.from.name, await input.select());
  const memory = await memoryOf(copy, context);
  const placed = await placeAlone(copy, { ...context, memory });
  const strategy =
    placed === undefined
      ? PACK_TREE
      : chooseStrategy(factsOf(placed, context), circumstancesOf(context, { isKeyed: true }));
  const pending = (await earlyLayerOf(copy)) ?? (placed && startLayer(placed, strategy, context));
  if (placed !== undefined && !strategy.makesTree) {
    const { content } = context.services;
    const layer = await (pending?.layer ?? runCooperatively(writeLayer(placed, content), context.signal));
    if (layer !== undefined) {
      results.saveLayer(result, { ...layer, parent: base ?? null });
      memory?.remember(result);
      return result;
    }
  }
  await copyInto(copy, { ...context, memory });
  // If the layer cannot be written without the tree, it is packed from the tree.
  if (pending !== undefined && strategy.makesTree) results.expectLayer(result, pending.layer);
  memory?.remember(result);
  scheduleLayerPacking(result, context);
  return result;
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
  { op, parts, base }: KeyedCopy,
  context: StepContext & Remembering,
): Promise<PlacedCopy | undefined> {
  const only = onlyInput(parts);
  if (only === undefined || !context.imageSteps.has(context.step.id)) return undefined;
  const copy = await placeCopy({ op, ...only, base }, context);
  const earlier = context.memory?.earlier;
  const layer = earlier && context.results.storedLayer(earlier.result);
  if (copy === undefined || earlier === undefined || layer === undefined) return copy;
  // The earlier layer is read completely, however few files are taken from it.
  if (earlier.archivedBytes < layer.descriptor.size / 2) return copy;
  return { ...copy, earlier: { digest: layer.diffId, changed: earlier.changed } };
}

interface Remembering {
  readonly memory?: CopyMemory;
}

async function memoryOf({ op, parts, base }: KeyedCopy, context: StepContext): Promise<CopyMemory | undefined> {
  const only = onlyInput(parts);
  return only && openCopyMemory({ op, ...only, base }, context);
}

interface Listening {
  onListed(selection: CopySelection, files: ListedFiles): void;
}

async function openParts(
  op: CopyOp,
  sources: readonly Solved<ResultId>[],
  context: StepContext & Underway & Listening,
): Promise<readonly CopyPart[]> {
  const parts: CopyPart[] = [];
  for (const selection of [op, ...(op.more ?? [])]) {
    const onListed = (files: ListedFiles): void => context.onListed(selection, files);
    parts.push(await openPart(selection, op, sources, { ...context, onListed }));
  }
  return parts;
}

async function openPart(
  selection: CopySelection,
  op: CopyOp,
  steps: readonly Solved<ResultId>[],
  context: StepContext & Underway & { onListed(files: ListedFiles): void },
): Promise<CopyPart> {
  const { from, sources } = selection;
  if (from.kind === 'inline') return { selection, content: digestOf(canonicalJson(from.files)) };
  const input = await openFileInput(from, { sources, exclude: op.exclude, parents: op.parents }, steps, context);
  const keepOwner = selection.keepOwner || input.owner === 'keep';
  return { selection: { ...selection, keepOwner }, content: input.content, input };
}

async function copyInto(
  { result, op, parts, base }: KeyedCopy,
  context: StepContext & Remembering & Underway,
): Promise<void> {
  const { memory, signal } = context;
  const { flavour } = context.services;
  const { epoch, dockerfileTime } = context;
  await using active = await prepareOn(base, context);
  const { upper, lowers } = active;
  const tree = openLayeredTree([...lowers, upper], flavour);
  const writer = createTreeWriter({ upper, lowers, flavour });
  const owner = op.chown === undefined ? undefined : ownerIn(tree, op.chown, base);
  const leftOut: string[] = [];
  const onSkippedDevice = (path: string): unknown => leftOut.push(path);
  for (const { selection, input } of parts) {
    if (input === undefined) {
      const files = selection.from.kind === 'inline' ? selection.from.files : [];
      copyInline(files, writer, writer, op, { owner, now: dockerfileTime, fixedTime: epoch ?? dockerfileTime });
      continue;
    }
    const sources = await input.select();
    const target = { ...op, ...selection };
    const options = { ...placementOf(sources, input, owner, epoch), signal };
    if (selection.unpack) await addFiles(sources, writer, writer, target, { ...options, onSkippedDevice });
    else {
      const earlier = memory?.earlier;
      const directory = earlier && (await upperOf(earlier.result, context));
      const written = earlier && directory ? filesInTree(earlier, directory) : undefined;
      await runCooperatively(copyFiles(sources, writer, writer, target, { ...options, written }), signal);
    }
  }
  writer.finish();
  warnOfLeftOut(leftOut, context);
  await active.commit(hexOf(result));
}

/** Warns of device nodes that were left out. Images rarely need them, since containers get a new /dev. */
function warnOfLeftOut(devices: readonly string[], { progress, step }: StepContext): void {
  if (devices.length === 0) return;
  const message = `Device nodes were left out, since only root on this machine can create them: ${devices.join(', ')}`;
  progress.emit({ type: 'warning', step: step.id, message });
}

async function upperOf(result: ResultId, { services }: StepContext): Promise<string | undefined> {
  return (await services.snapshots.stat(hexOf(result)))?.directories.at(-1);
}
