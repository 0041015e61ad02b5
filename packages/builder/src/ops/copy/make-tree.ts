import { dirname } from 'node:path';
import { runCooperatively } from '@tbuild/concurrency';
import { addFiles, copyFiles, copyInline, type CopyOptions, type EarlierCopy, filesInTree } from '@tbuild/copy';
import type { CopyOp, CopySelection, ResultId, Step } from '@tbuild/graph';
import { hexOf } from '@tbuild/oci';
import type { Progress } from '@tbuild/progress';
import { type ActiveSnapshot, createTreeWriter, openLayeredTree, type ReadableTreeWriter } from '@tbuild/snapshot';
import { touch } from '@tbuild/store';
import type { OutputTimes } from '../output-times.ts';
import { prepareOn, type Trees } from '../trees.ts';
import type { FileInput } from './file-input.ts';
import { ownerIn } from './owner.ts';
import { copyOptionsOf } from './place-copy.ts';

/** The files that a copy takes from one source. Heredocs have no input. */
export interface CopyPart {
  readonly selection: CopySelection;
  readonly input?: Pick<FileInput, 'select' | 'hasher'>;
}

/** A copy whose tree is made. */
export interface TreeCopy extends Pick<CopyOptions, 'digestOnce'> {
  readonly op: CopyOp;
  readonly step: Step;
  readonly parts: readonly CopyPart[];
  readonly base: ResultId | undefined;
  readonly earlier?: EarlierCopy;
}

/** What making the tree of a copy uses. */
export interface TreePorts extends Trees, OutputTimes {
  readonly progress: Progress;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** Makes the tree of a copy on its base. The caller commits or disposes it. */
export async function makeTree(copy: TreeCopy, ports: TreePorts, signal: AbortSignal): Promise<ActiveSnapshot> {
  const active = await prepareOn(copy.base, ports);
  try {
    const writer = createTreeWriter({ upper: active.upper, lowers: active.lowers, flavour: ports.flavour });
    await writeParts(copy, writer, { ...ports, active, signal });
    writer.finish();
    return active;
  } catch (error) {
    await active[Symbol.asyncDispose]();
    throw error;
  }
}

async function writeParts(
  { op, step, parts, base, earlier, digestOnce }: TreeCopy,
  writer: ReadableTreeWriter,
  ports: TreePorts & { readonly active: ActiveSnapshot; readonly signal: AbortSignal },
): Promise<void> {
  const { flavour, epoch, dockerfileTime, signal } = ports;
  const { upper, lowers } = ports.active;
  const owner =
    op.chown === undefined ? undefined : ownerIn(openLayeredTree([...lowers, upper], flavour), op.chown, base);
  const leftOut: string[] = [];
  for (const { selection, input } of parts) {
    if (input === undefined) {
      const files = selection.from.kind === 'inline' ? selection.from.files : [];
      copyInline(files, writer, { target: op, options: { owner, now: dockerfileTime } });
      continue;
    }
    const sources = await input.select();
    const target = { ...op, ...selection };
    const options = { ...copyOptionsOf(sources, input, { owner, epoch }), signal };
    if (selection.unpack) {
      const onSkippedDevice = (path: string): unknown => leftOut.push(path);
      const unpacking = { ...options, limits: ports.unpackLimits, onSkippedDevice };
      await addFiles(sources, writer, { target, options: unpacking });
    } else {
      const directory = earlier && (await upperOf(earlier.result, ports));
      const written = earlier && directory ? filesInTree(earlier, directory) : undefined;
      const copying = copyFiles(sources, writer, { target, options: { ...options, written, digestOnce } });
      await runCooperatively(copying, signal);
      // Files of that tree have more names now, which its size depends on.
      if (directory !== undefined) touch(dirname(directory), ports.now());
    }
  }
  warnOfLeftOut(leftOut, step, ports);
}

/** Warns of device nodes that were left out. Images rarely need them, since containers get a new /dev. */
function warnOfLeftOut(
  devices: readonly string[],
  { id: step }: Step,
  { progress }: Pick<TreePorts, 'progress'>,
): void {
  if (devices.length === 0) return;
  const message = `Device nodes were left out, since only root on this machine can create them: ${devices.join(', ')}`;
  progress.emit({ type: 'warning', step, message });
}

async function upperOf(result: ResultId, { snapshots }: Pick<Trees, 'snapshots'>): Promise<string | undefined> {
  return (await snapshots.stat(hexOf(result)))?.directories.at(-1);
}
