import { TbuildError } from '@tbuild/errors';
import type { SandboxMount } from '@tbuild/executor';
import type { RunMount } from '@tbuild/graph';
import type { BuildRequest } from '../../../request.ts';
import type { StepFiles } from '../step-files.ts';

type SshMount = Extract<RunMount, { type: 'secret' | 'ssh' }>;

/**
 * Opens a `--mount=type=ssh`: a socket of an agent. Returns undefined for a missing optional agent.
 *
 * @throws TbuildError NOT_FOUND for a missing required agent.
 */
export async function openSshMount(
  mount: SshMount,
  files: StepFiles,
  { ssh }: Pick<BuildRequest, 'ssh'>,
): Promise<SandboxMount | undefined> {
  const { id, target, mode, uid, gid } = mount;
  const source = Object.hasOwn(ssh, id) ? ssh[id] : undefined;
  if (source === undefined || target === undefined) {
    if (!mount.required) return undefined;
    throw new TbuildError('NOT_FOUND', `SSH agent ${JSON.stringify(id)} is required but missing`, {
      hint: `Pass it with --ssh ${id}`,
    });
  }
  // Most builds need no agent, so its code is loaded on demand.
  const { openAgent, serveAgent } = await import('@tbuild/ssh-agent');
  const served = await serveAgent(openAgent(source.paths), { directory: files.directory(), mode, uid, gid });
  files.onDispose(() => served[Symbol.asyncDispose]());
  return { type: 'bind', source: served.path, target, readonly: true };
}
