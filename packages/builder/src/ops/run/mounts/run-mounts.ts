import type { SandboxMount } from '@tbuild/executor';
import type { ResultId, RunMount } from '@tbuild/graph';
import { canonicalJson, digestOf } from '@tbuild/oci';
import type { Solved } from '@tbuild/solver';
import type { BuildRequest } from '../../../request.ts';
import { type FilePorts, openFileInput } from '../../copy/file-input.ts';
import type { StepUnderway } from '../step-files.ts';
import { type BindMountPorts, openBindMount } from './bind-mount.ts';
import { type CacheMountPorts, takeCacheDirectories } from './cache-mount.ts';
import { hashedSecret, type SecretPorts } from './hashed-secret.ts';
import type { KeyedMount } from './keyed-mount.ts';
import { openSecretMount, type OpenSecret } from './secret-mount.ts';
import { openSshMount } from './ssh-mount.ts';

/** Reads the mounts' sources for the key of their step. */
export async function keyMounts(
  { mounts, sources }: { readonly mounts: readonly RunMount[]; readonly sources: readonly Solved<ResultId>[] },
  ports: FilePorts & SecretPorts,
  signal: AbortSignal,
): Promise<readonly KeyedMount[]> {
  return Promise.all(mounts.map((mount) => keyMount({ mount, sources }, ports, signal)));
}

async function keyMount(
  { mount, sources }: { readonly mount: RunMount; readonly sources: readonly Solved<ResultId>[] },
  ports: FilePorts & SecretPorts,
  signal: AbortSignal,
): Promise<KeyedMount> {
  const secret = mount.type === 'secret' ? hashedSecret(mount.id, ports) : undefined;
  if (secret !== undefined) return { mount, key: { ...mount, secret } };
  if (mount.type !== 'bind' && mount.type !== 'cache') return { mount, key: mount };
  const { from, source = '' } = mount;
  const options = { sources: [source.replace(/^\/+/, '')], shown: true };
  const input =
    from === undefined || from.kind === 'inline'
      ? undefined
      : await openFileInput({ from, sources, options }, ports, { signal });
  const result = from?.kind === 'step' ? sources[from.source]?.result : undefined;
  if (mount.type === 'cache') {
    const { mode, uid, gid, target, readonly } = mount;
    return { mount, key: { type: 'cache', target, readonly, mode, uid, gid, content: input?.content }, input, result };
  }
  const content = input?.content ?? digestOf(canonicalJson(from));
  return { mount, key: { ...mount, from: undefined, source: undefined, content }, input, result };
}

/** What the mounts of a RUN add to its sandbox. */
export interface OpenMounts {
  readonly mounts: readonly SandboxMount[];
  /** Environment variables with secrets. */
  readonly env: readonly string[];
  /** Values to mask in all output. */
  readonly secrets: readonly Uint8Array[];
}

/** What the mounts of RUN use. */
export type MountPorts = BindMountPorts & CacheMountPorts & SecretPorts & Pick<BuildRequest, 'ssh'>;

/** Creates the mounts' sources in the step's files, whose disposal removes them. */
export async function openMounts(
  keyed: readonly KeyedMount[],
  step: StepUnderway,
  ports: MountPorts,
): Promise<OpenMounts> {
  const { files } = step;
  const caches = await takeCacheDirectories(keyed, step, ports);
  const mounts: (SandboxMount | undefined)[] = [];
  const secrets: OpenSecret[] = [];
  for (const one of keyed) {
    const { mount } = one;
    if (mount.type === 'tmpfs') mounts.push({ type: 'tmpfs', target: mount.target, size: mount.size });
    else if (mount.type === 'cache')
      mounts.push({ type: 'bind', source: caches.get(one) ?? '', target: mount.target, readonly: mount.readonly });
    else if (mount.type === 'bind') mounts.push(await openBindMount({ ...one, mount }, step, ports));
    else if (mount.type === 'ssh') mounts.push(await openSshMount(mount, files, ports));
    else {
      const secret = openSecretMount(mount, files, ports);
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
