import type { SandboxMount } from '@tbuild/executor';
import type { FileSource, ResultId, RunMount } from '@tbuild/graph';
import { canonicalJson, digestOf } from '@tbuild/oci';
import type { Solved } from '@tbuild/solver';
import { openFileInput } from '../copy/file-input.ts';
import type { OpEnvironment, StepContext, Underway } from '../op-environment.ts';
import { openBindMount } from './bind-mount.ts';
import { takeCacheDirectories } from './cache-mount.ts';
import type { KeyedMount } from './keyed-mount.ts';
import { networkFiles, type NetworkOptions } from './network-files.ts';
import { openSecretMount, type OpenSecret } from './secret-mount.ts';
import { openSshMount } from './ssh-mount.ts';
import type { StepFiles } from './step-files.ts';

/** Reads the mounts' sources for the key of their step. */
export async function keyMounts(
  mounts: readonly RunMount[],
  sources: readonly Solved<ResultId>[],
  env: OpEnvironment & Underway,
): Promise<readonly KeyedMount[]> {
  return Promise.all(mounts.map((mount) => keyMount(mount, sources, env)));
}

async function keyMount(
  mount: RunMount,
  sources: readonly Solved<ResultId>[],
  env: OpEnvironment & Underway,
): Promise<KeyedMount> {
  if (mount.type !== 'bind' && mount.type !== 'cache') return { mount, key: mount };
  const { from, source = '' } = mount;
  const input = from === undefined ? undefined : await openSource(from, source, sources, env);
  const result = from?.kind === 'step' ? sources[from.source]?.result : undefined;
  if (mount.type === 'cache') {
    const { mode, uid, gid, target, readonly } = mount;
    return { mount, key: { type: 'cache', target, readonly, mode, uid, gid, content: input?.content }, input, result };
  }
  const content = input?.content ?? digestOf(canonicalJson(from));
  return { mount, key: { ...mount, from: undefined, source: undefined, content }, input, result };
}

async function openSource(
  from: FileSource,
  source: string,
  sources: readonly Solved<ResultId>[],
  env: OpEnvironment & Underway,
) {
  if (from.kind === 'inline') return undefined;
  return openFileInput(from, { sources: [source.replace(/^\/+/, '')], shown: true }, sources, env);
}

/** What the mounts of a RUN add to its sandbox. */
export interface OpenMounts {
  readonly mounts: readonly SandboxMount[];
  /** Environment variables with secrets. */
  readonly env: readonly string[];
  /** Values to mask in all output. */
  readonly secrets: readonly Uint8Array[];
}

/** Creates the mounts' sources in `files`, which removes them when it is disposed. */
export async function openMounts(
  keyed: readonly KeyedMount[],
  files: StepFiles,
  context: StepContext & NetworkOptions,
  signal: AbortSignal,
): Promise<OpenMounts> {
  const caches = await takeCacheDirectories(keyed, files, context, signal);
  const mounts: (SandboxMount | undefined)[] = [...networkFiles(files, context)];
  const secrets: OpenSecret[] = [];
  for (const one of keyed) {
    const { mount } = one;
    if (mount.type === 'tmpfs') mounts.push({ type: 'tmpfs', target: mount.target, size: mount.size });
    else if (mount.type === 'cache')
      mounts.push({ type: 'bind', source: caches.get(one) ?? '', target: mount.target, readonly: mount.readonly });
    else if (mount.type === 'bind') mounts.push(await openBindMount(mount, one, files, { ...context, signal }));
    else if (mount.type === 'ssh') mounts.push(await openSshMount(mount, files, context));
    else {
      const secret = openSecretMount(mount, files, context);
      if (secret !== undefined) secrets.push(secret);
      mounts.push(secret?.mount);
    }
  }
  return {
    mounts: mounts.filter((mount) => mount !== undefined),
    env: secrets.flatMap(({ variable }) => variable ?? []),
    secrets: secrets.map(({ value }) => value),
  };
}
