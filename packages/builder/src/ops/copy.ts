import { join } from 'node:path';
import type { ResultId } from '@tbuild/cache';
import type { CopyOp, CopySelection } from '@tbuild/graph';
import { inTurns } from '@tbuild/linux';
import { canonicalJson, digestOf, hexOf, type Digest, type Layer } from '@tbuild/oci';
import { createTreeWriter, openLayeredTree } from '@tbuild/snapshot';
import type { Op, Solved } from '@tbuild/solver';
import {
  addFiles,
  copyFiles,
  copyInline,
  filesInTree,
  isRemembered,
  openEarlierCopy,
  rememberCopy,
  writeLayer,
} from '../copy/index.ts';
import type { EarlierCopy } from '../copy/earlier-copy.ts';
import type { PlacedCopy } from '../copy/write-layer.ts';
import { openFileInput, type FileInput } from './file-input.ts';
import type { StepContext, Underway } from './op-environment.ts';
import { ownerIn } from './owner.ts';
import { placeCopy, placementOf, writeAside } from './place-copy.ts';
import { copyParts } from './key-parts.ts';
import { packSoon } from './pack-soon.ts';
import { prepareOn } from './prepare-on.ts';

/** COPY and ADD: the same files on the same base always give the same tree, so the key is the result. */
export function copyOp(op: CopyOp, context: StepContext): Op<ResultId> {
  return {
    async prepare({ base, sources }, signal) {
      const parts: CopyPart[] = [];
      for (const selection of [op, ...(op.more ?? [])])
        parts.push(await openPart(selection, op, sources, { ...context, signal }));
      const { chown, chmod, destination, exclude, parents } = op;
      const content = parts.map((part) => ({
        content: part.content,
        unpack: part.selection.unpack,
        keepOwner: part.selection.keepOwner,
      }));
      const key = digestOf(
        canonicalJson({
          copy: { chown, chmod, destination, exclude, parents },
          base: base?.result,
          content,
          epoch: context.epoch,
        }),
      );
      const run = async (): Promise<ResultId> => {
        for (const { selection, input } of parts)
          if (input !== undefined && selection.from.kind === 'context')
            context.contexts.onCopied(selection.from.name, await input.select());
        const memory = await memoryOf(parts, op, base?.result, context);
        const copy = await placeAlone(parts, op, base?.result, { ...context, memory });
        const isTopmost = context.topmost.has(context.step.id);
        if (copy !== undefined && isTopmost) {
          const layer = await writeStraight(copy, { ...context, signal });
          if (layer !== undefined) {
            context.results.saveLayer(key, { ...layer, parent: base?.result ?? null });
            memory?.remember(key);
            return key;
          }
        }
        // What could not be written straight once cannot be so the second time.
        const layer = isTopmost ? undefined : writeAside(copy, { ...context, signal });
        await copyInto(key, op, parts, base?.result, { ...context, memory, signal });
        if (layer !== undefined) context.results.expectLayer(key, layer);
        memory?.remember(key);
        packSoon(key, context);
        return key;
      };
      return {
        key,
        run,
        canGive: (result) => result === key,
        parts: () => copyParts(op, parts, { base: base?.result, epoch: context.epoch }),
      };
    },
  };
}

/** What the instruction takes from one place; files of the Dockerfile itself have no input. */
interface CopyPart {
  readonly selection: CopySelection;
  readonly content: Digest;
  readonly input?: FileInput;
}

/** The part of a copy that takes all from one place. */
function onlyInput(parts: readonly CopyPart[]): { selection: CopySelection; input: FileInput } | undefined {
  const [only, ...others] = parts;
  if (only?.input === undefined || others.length > 0) return undefined;
  return { selection: only.selection, input: only.input };
}

/** Of a copy from one place alone the layer can be written straight, where one is wanted. */
async function placeAlone(
  parts: readonly CopyPart[],
  op: CopyOp,
  base: ResultId | undefined,
  context: StepContext & Remembering,
): Promise<PlacedCopy | undefined> {
  const only = onlyInput(parts);
  if (only === undefined || !context.layered.has(context.step.id)) return undefined;
  const copy = await placeCopy({ op, ...only, base }, context);
  const earlier = context.memory?.earlier;
  const layer = earlier && context.results.storedLayer(earlier.result);
  if (copy === undefined || earlier === undefined || layer === undefined) return copy;
  // All of it is read, whatever is taken.
  if (earlier.archivedBytes < layer.descriptor.size / 2) return copy;
  return { ...copy, earlier: { digest: layer.diffId, changed: earlier.changed } };
}

/**
 * Writes the layer of a copy whose tree nobody needs. When an output compresses it, another process writes it meanwhile,
 * where there is one.
 */
async function writeStraight(copy: PlacedCopy, context: StepContext & Underway): Promise<Layer | undefined> {
  const aside = context.preparation.isWanted ? writeAside(copy, context) : undefined;
  return aside ?? inTurns(writeLayer(copy, context.worker.content), context.signal);
}

/** What is known of the last copy of the same instruction onto the same base. */
interface CopyMemory {
  readonly earlier?: EarlierCopy;
  remember(result: ResultId): void;
}

interface Remembering {
  readonly memory?: CopyMemory;
}

async function memoryOf(
  parts: readonly CopyPart[],
  op: CopyOp,
  base: ResultId | undefined,
  { worker, topmost, step }: StepContext,
): Promise<CopyMemory | undefined> {
  const only = onlyInput(parts);
  if (only === undefined || only.selection.unpack || only.input.owner === 'keep') return undefined;
  const { input } = only;
  const sources = await input.select();
  if (!isRemembered(sources)) return undefined;
  // One that makes a tree can share only with a tree.
  const makes = topmost.has(step.id) ? 'layer' : 'tree';
  const note = join(worker.root, 'copies', hexOf(digestOf(canonicalJson({ op, base, makes }))));
  return {
    earlier: openEarlierCopy(note, sources, input.hasher),
    remember: (result) => rememberCopy(note, result, sources, input.hasher),
  };
}

async function openPart(
  selection: CopySelection,
  op: CopyOp,
  steps: readonly Solved<ResultId>[],
  context: StepContext & Underway,
): Promise<CopyPart> {
  const { from, sources } = selection;
  if (from.kind === 'inline') return { selection, content: digestOf(canonicalJson(from.files)) };
  const input = await openFileInput(from, { sources, exclude: op.exclude, parents: op.parents }, steps, context);
  const keepOwner = selection.keepOwner || input.owner === 'keep';
  return { selection: { ...selection, keepOwner }, content: input.content, input };
}

async function copyInto(
  key: ResultId,
  op: CopyOp,
  parts: readonly CopyPart[],
  base: ResultId | undefined,
  context: StepContext & Remembering & Underway,
): Promise<void> {
  const { memory, signal } = context;
  const { flavour } = context.worker;
  const { epoch, dockerfileTime } = context;
  await using active = await prepareOn(base, context);
  const { upper, lowers } = active;
  const tree = openLayeredTree([...lowers, upper], flavour);
  const writer = createTreeWriter({ upper, lowers, flavour });
  const owner = op.chown === undefined ? undefined : ownerIn(tree, op.chown, base);
  const leftOut: string[] = [];
  const onLeftOut = (path: string): unknown => leftOut.push(path);
  for (const { selection, input } of parts) {
    if (input === undefined) {
      const files = selection.from.kind === 'inline' ? selection.from.files : [];
      copyInline(files, writer, tree, op, { owner, now: dockerfileTime, fixedTime: epoch ?? dockerfileTime });
      continue;
    }
    const sources = await input.select();
    const target = { ...op, ...selection };
    const options = { ...placementOf(sources, input, owner, epoch), signal };
    if (selection.unpack) await addFiles(sources, writer, tree, target, { ...options, onLeftOut });
    else {
      const earlier = memory?.earlier;
      const directory = earlier && (await upperOf(earlier.result, context));
      const written = earlier && directory ? filesInTree(earlier, directory) : undefined;
      await inTurns(copyFiles(sources, writer, tree, target, { ...options, written }), signal);
    }
  }
  writer.finish();
  warnOfLeftOut(leftOut, context);
  await active.commit(hexOf(key));
}

/** An image without them is rarely worse, since /dev is made anew for each container. */
function warnOfLeftOut(devices: readonly string[], { progress, step }: StepContext): void {
  if (devices.length === 0) return;
  const message = `Device nodes were left out, since only the machine's root can make them: ${devices.join(', ')}`;
  progress.emit({ type: 'warning', step: step.id, message });
}

async function upperOf(result: ResultId, { worker }: StepContext): Promise<string | undefined> {
  return (await worker.snapshots.stat(hexOf(result)))?.directories.at(-1);
}
