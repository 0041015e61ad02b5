import { chmodSync, chownSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SandboxMount } from '@tbuild/executor';
import type { RunMount } from '@tbuild/graph';
import { digestOf, hexOf } from '@tbuild/oci';
import { copySelected } from './bind-mount.ts';
import type { OpEnvironment } from './op-environment.ts';
import type { KeyedMount } from './keyed-mount.ts';
import type { StepFiles } from './step-files.ts';

type CacheMount = Extract<RunMount, { type: 'cache' }>;

/** `--mount=type=cache`: a directory of the store that outlives the build, by id. */
export async function openCacheMount(mount: CacheMount, keyed: KeyedMount, files: StepFiles, env: OpEnvironment): Promise<SandboxMount> {
  const { target, readonly } = mount;
  const directory = join(env.worker.root, 'cache-mounts', hexOf(digestOf(mount.id)));
  if (mount.sharing !== 'shared') files.onDispose(await env.cacheLocks.acquire(directory));
  const content = join(directory, 'bind');
  if (!existsSync(content)) await fill(content, directory, mount, keyed, env);
  return { type: 'bind', source: content, target, readonly };
}

async function fill(content: string, directory: string, mount: CacheMount, keyed: KeyedMount, env: OpEnvironment): Promise<void> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (keyed.input !== undefined) return copySelected(keyed, directory, env);
  mkdirSync(content, { recursive: true });
  chownSync(content, mount.uid, mount.gid);
  chmodSync(content, mount.mode);
}
