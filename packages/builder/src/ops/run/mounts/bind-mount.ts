import { statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { resolvePath } from '@tbuild/context';
import { TbuildError } from '@tbuild/errors';
import type { SandboxMount } from '@tbuild/executor';
import type { ResultId, RunMount } from '@tbuild/graph';
import { canonicalJson, digestOf, hexOf } from '@tbuild/oci';
import { openLayeredTree } from '@tbuild/snapshot';
import type { FileInput } from '../../copy/file-input.ts';
import type { Trees } from '../../trees.ts';
import type { StepUnderway } from '../step-files.ts';
import { copySelected, type CopySelectedPorts } from './copy-selected.ts';
import type { KeyedMount } from './keyed-mount.ts';
import { layersAt, overlayOf } from './sub-tree.ts';

type BindMount = Extract<RunMount, { type: 'bind' }>;

/** What a bind mount uses. */
export type BindMountPorts = Trees & CopySelectedPorts;

/** The inputs for making a bind mount. */
interface Making {
  readonly mount: BindMount;
  readonly step: StepUnderway;
  readonly ports: BindMountPorts;
}

/** Name of the selected file or directory in the small tree made for it. */
const NAME = 'bind';

/**
 * Opens a `--mount=type=bind`. The tree of another step is mounted in place. Files of a context, selected with its
 * ignore rules, are copied once and kept under their content. Writes to the mount are discarded.
 *
 * @throws TbuildError NOT_FOUND if a tree lacks the source.
 */
export async function openBindMount(
  { mount, input, result }: KeyedMount & { readonly mount: BindMount },
  step: StepUnderway,
  ports: BindMountPorts,
): Promise<SandboxMount> {
  const { target, from, readonly } = mount;
  if (from.kind === 'inline') {
    const content = from.files[0]?.content ?? '';
    return { type: 'bind', source: step.files.write(basename(target), content, { mode: 0o755 }), target, readonly };
  }
  if (input === undefined) throw new Error('Expected a source for the bind mount');
  const making: Making = { mount, step, ports };
  return result === undefined ? showContext(input, making) : showResult(result, input, making);
}

async function showResult(result: ResultId, input: FileInput, making: Making): Promise<SandboxMount> {
  const { mount, ports } = making;
  const { results, flavour } = ports;
  const { directories } = await results.snapshot(result);
  const tree = openLayeredTree(directories, flavour);
  const path = resolvePath(tree, mount.source, { followLast: true });
  const entry = path === undefined ? undefined : tree.stat(path);
  if (path === undefined || entry === undefined)
    throw new TbuildError('NOT_FOUND', `Source "${mount.source}" of the bind mount does not exist`);
  if (!entry.stats.isDirectory()) return showFile(entry.location, input, making);
  return showDirectory(layersAt(path, directories, flavour), making);
}

async function showContext(input: FileInput, making: Making): Promise<SandboxMount> {
  const { step, ports } = making;
  const { snapshots } = ports;
  const name = hexOf(digestOf(canonicalJson({ bind: input.content })));
  let snapshot = await snapshots.stat(name);
  if (snapshot === undefined) {
    await using active = await snapshots.prepare();
    await copySelected(input, join(active.upper, NAME), { ...ports, signal: step.signal });
    snapshot = await active.commit(name);
  }
  const path = join(snapshot.directories.at(-1) ?? '', NAME);
  if (!statSync(path).isDirectory()) return showFile(path, input, making);
  const { target, readonly } = making.mount;
  return readonly ? { type: 'bind', source: path, target, readonly } : showDirectory([path], making);
}

function showDirectory(layers: readonly string[], { mount, step, ports }: Making): SandboxMount {
  const place = step.files.directory();
  const overlay = overlayOf(layers, { place, writable: !mount.readonly, flavour: ports.flavour });
  return { type: 'overlay', mount: overlay, target: mount.target };
}

async function showFile(path: string, input: FileInput, { mount, step, ports }: Making): Promise<SandboxMount> {
  const { target, readonly } = mount;
  if (readonly) return { type: 'bind', source: path, target, readonly };
  const source = join(step.files.directory(), NAME);
  await copySelected(input, source, { ...ports, signal: step.signal });
  return { type: 'bind', source, target, readonly };
}
