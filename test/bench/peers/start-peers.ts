import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { canRunDocker, canRunPodman, hasProgram } from '../../support/requirements.ts';
import type { Peer } from '../peer.ts';
import { buildah } from './buildah.ts';
import { dockerBuildx } from './docker-buildx.ts';
import { tbuild } from './tbuild.ts';

/**
 * tbuild, the program `before` if one is named, and those of its peers that this machine has; of all these, those that
 * `only` names. Their state lies below `directory`.
 */
export async function startPeers(directory: string, only?: readonly string[], before?: string): Promise<Peer[]> {
  const known: readonly (readonly [name: string, isHere: boolean, start: (state: string) => Promise<Peer>])[] = [
    ['tbuild', true, tbuild],
    ['before', before !== undefined, (state) => tbuild(state, 'before', before)],
    ['docker', canRunDocker, dockerBuildx],
    ['buildah', canRunPodman && hasProgram('buildah'), buildah],
  ];
  const peers: Peer[] = [];
  for (const [name, isHere, start] of known) {
    if (!isHere || only?.includes(name) === false) continue;
    mkdirSync(join(directory, name), { recursive: true });
    const peer = await start(join(directory, name));
    await peer.addBase('busybox');
    peers.push(peer);
  }
  return peers;
}
