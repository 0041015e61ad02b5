import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { SshSource } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import type { BuildSpec } from '@tbuild/spec';
import type { Environment } from '../config/environment.ts';

/**
 * Finds the agents and keys of `--ssh`. An id without a path stands for the user's own agent.
 * @throws TbuildError USAGE where there is no such agent or key.
 */
export function sshSources(
  ssh: NonNullable<BuildSpec['ssh']>,
  env: Pick<Environment, 'cwd' | 'variables'>,
): Readonly<Record<string, SshSource>> {
  return Object.fromEntries(Object.entries(ssh).map(([id, paths]) => [id, sshSource(id, paths, env)]));
}

function sshSource(
  id: string,
  written: true | string | readonly string[],
  { cwd, variables }: Pick<Environment, 'cwd' | 'variables'>,
): SshSource {
  if (id === '') throw new TbuildError('USAGE', 'Option --ssh has no id', { hint: 'Write --ssh default' });
  const paths = written === true ? [] : [written].flat().map((path) => resolve(cwd, path));
  const missing = paths.find((path) => !existsSync(path));
  if (missing !== undefined)
    throw new TbuildError('USAGE', `Socket or key ${JSON.stringify(missing)} of --ssh does not exist`, {
      hint: `Name the socket of an agent or a private key: --ssh ${id}=FILE`,
    });
  if (paths.length > 0) return { paths };
  const agent = variables.SSH_AUTH_SOCK;
  if (agent !== undefined && agent !== '') return { paths: [resolve(cwd, agent)] };
  throw new TbuildError('USAGE', `--ssh ${id} stands for the agent at $SSH_AUTH_SOCK, which is not set`, {
    hint: `Start one with ssh-agent, or name keys: --ssh ${id}=KEY`,
  });
}
