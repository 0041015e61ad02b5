import { TbuildError } from '@tbuild/errors';
import type { SandboxMount } from '@tbuild/executor';
import type { RunMount } from '@tbuild/graph';
import type { OpEnvironment } from '../op-environment.ts';
import type { StepFiles } from './step-files.ts';

type SshMount = Extract<RunMount, { type: 'secret' | 'ssh' }>;

/**
 * `--mount=type=ssh`: a socket at which an agent answers; undefined for an optional one that the build was not given.
 *
 * @throws TbuildError NOT_FOUND for a required one that the build was not given.
 */
export async function openSshMount(
  mount: SshMount,
  files: StepFiles,
  { ssh }: Pick<OpEnvironment, 'ssh'>,
): Promise<SandboxMount | undefined> {
  const { id, target, mode, uid, gid } = mount;
  const source = Object.hasOwn(ssh, id) ? ssh[id] : undefined;
  if (source === undefined || target === undefined) {
    if (!mount.required) return undefined;
    throw new TbuildError('NOT_FOUND', `SSH agent ${JSON.stringify(id)} is required and was not given`, {
      hint: `Give it with --ssh ${id}`,
    });
  }
  // Most builds have no agent, and need not load what one takes.
  const { openAgent, serveAgent } = await import('@tbuild/ssh-agent');
  const served = await serveAgent(openAgent(source.paths), { directory: files.directory(), mode, uid, gid });
  files.onDispose(() => served[Symbol.asyncDispose]());
  return { type: 'bind', source: served.path, target, readonly: true };
}
