import { statSync } from 'node:fs';
import { TbuildError } from '@tbuild/errors';
import type { SshAgent } from './agent.ts';
import { createForwardAgent } from './forward-agent.ts';
import { createKeyAgent } from './key-agent.ts';
import { readPrivateKey } from './private-key.ts';

/**
 * Opens the agent behind `--ssh`: the one that listens at a socket, or one that signs with key files.
 *
 * @throws TbuildError USAGE for paths that are missing, no keys, or several sockets.
 */
export function openAgent(paths: readonly string[]): SshAgent {
  const sockets = paths.filter(isSocket);
  const [socket] = sockets;
  if (socket === undefined) return createKeyAgent(paths.map(readPrivateKey));
  if (paths.length === 1) return createForwardAgent(socket);
  throw new TbuildError(
    'USAGE',
    `Option --ssh takes one socket or several keys, not ${JSON.stringify(paths.join(','))}`,
  );
}

function isSocket(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined)
    throw new TbuildError('USAGE', `Socket or key ${JSON.stringify(path)} of --ssh does not exist`);
  return stats.isSocket();
}
