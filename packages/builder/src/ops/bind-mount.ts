import { basename, join } from 'node:path';
import type { SandboxMount } from '@tbuild/executor';
import type { RunMount } from '@tbuild/graph';
import { canonicalJson, digestOf, hexOf } from '@tbuild/oci';
import { createTreeWriter, openLayeredTree } from '@tbuild/snapshot';
import { copyFiles } from '../copy/index.ts';
import type { OpEnvironment } from './op-environment.ts';
import type { KeyedMount } from './keyed-mount.ts';
import type { StepFiles } from './step-files.ts';

type BindMount = Extract<RunMount, { type: 'bind' }>;

/** Where the selected file or directory stands in the small tree made for it. */
const NAME = 'bind';

/**
 * `--mount=type=bind`. A whole tree of another step is shown as it is; anything else (files of a context
 * with its ignore rules, part of a tree) is shown as a copy that is kept under its content. Writes to a
 * writable mount go to a layer that is thrown away.
 */
export async function openBindMount(mount: BindMount, keyed: KeyedMount, files: StepFiles, env: OpEnvironment): Promise<SandboxMount> {
  const { target, readonly } = mount;
  if (mount.from.kind === 'inline') {
    const file = mount.from.files[0];
    return { type: 'bind', source: files.write(basename(target), file?.content ?? '', { mode: 0o755 }), target, readonly };
  }
  if (keyed.input === undefined) throw new Error('A bind mount without a source');
  if (keyed.result !== undefined && mount.source.replace(/^\/+/, '') === '') {
    await env.results.snapshot(keyed.result);
    return showTree(hexOf(keyed.result), target, files, env);
  }
  const name = hexOf(digestOf(canonicalJson({ bind: keyed.input.content })));
  return readonly ? showCopy(name, keyed, target, env) : showPrivateCopy(keyed, target, files, env);
}

/** An overlay over the tree; its upper directory takes what a writable mount writes, and is discarded. */
async function showTree(name: string, target: string, files: StepFiles, { worker }: OpEnvironment): Promise<SandboxMount> {
  const active = await worker.snapshots.prepare(name);
  files.onDispose(() => active[Symbol.asyncDispose]());
  return { type: 'overlay', mount: active.mount, target };
}

async function showCopy(name: string, keyed: KeyedMount, target: string, env: OpEnvironment): Promise<SandboxMount> {
  const { snapshots } = env.worker;
  let snapshot = await snapshots.stat(name);
  if (snapshot === undefined) {
    await using active = await snapshots.prepare();
    await copySelected(keyed, active.upper, env);
    snapshot = await active.commit(name);
  }
  return { type: 'bind', source: join(snapshot.directories.at(-1) ?? '', NAME), target, readonly: true };
}

async function showPrivateCopy(keyed: KeyedMount, target: string, files: StepFiles, env: OpEnvironment): Promise<SandboxMount> {
  const active = await env.worker.snapshots.prepare();
  files.onDispose(() => active[Symbol.asyncDispose]());
  await copySelected(keyed, active.upper, env);
  return { type: 'bind', source: join(active.upper, NAME), target, readonly: false };
}

/** Copies what the mount shows to `NAME` in the directory `upper`. */
export async function copySelected({ input, result }: KeyedMount, upper: string, { worker }: OpEnvironment): Promise<void> {
  if (input === undefined) throw new Error('A mount without a source');
  const keepOwner = result !== undefined;
  const { flavour } = worker;
  const writer = createTreeWriter({ upper, lowers: [], flavour });
  const tree = openLayeredTree([upper], flavour);
  const op = { destination: `/${NAME}`, keepOwner };
  copyFiles(await input.select(), writer, tree, op, { owner: undefined, hasher: input.hasher, now: worker.now() });
  writer.finish();
}
