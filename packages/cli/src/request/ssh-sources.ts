import { resolve } from 'node:path';
import type { SshSource } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import type { Environment } from '../config/environment.ts';

/**
 * Reads the `--ssh` options: `ID`, `ID=SOCKET` or `ID=KEY,KEY`. Without a path the user's own agent is meant.
 *
 * @throws TbuildError USAGE where there is no such agent.
 */
export function sshSources(texts: readonly string[], env: Environment): Readonly<Record<string, SshSource>> {
  return Object.fromEntries(texts.map((text) => sshSource(text, env)));
}

function sshSource(text: string, { cwd, variables }: Environment): [id: string, source: SshSource] {
  const at = text.indexOf('=');
  const id = at < 0 ? text : text.slice(0, at);
  const given =
    at < 0
      ? []
      : text
          .slice(at + 1)
          .split(',')
          .filter((path) => path !== '');
  if (id === '')
    throw new TbuildError('USAGE', `Option --ssh ${JSON.stringify(text)} has no id`, { hint: 'Write --ssh default' });
  if (given.length > 0) return [id, { paths: given.map((path) => resolve(cwd, path)) }];
  const agent = variables.SSH_AUTH_SOCK;
  if (agent !== undefined && agent !== '') return [id, { paths: [resolve(cwd, agent)] }];
  throw new TbuildError('USAGE', `Option --ssh ${id} means the agent at $SSH_AUTH_SOCK, which is not set`, {
    hint: `Start one with ssh-agent, or name keys: --ssh ${id}=KEY`,
  });
}
