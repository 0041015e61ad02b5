import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChecked } from '../../support/run-process.ts';
import { inTurn, type BenchCase } from '../case.ts';
import type { Peer } from '../peer.ts';

/** An image that `docker run` is to find: Docker's own builder has it in the engine, the others load it there. */
export const loading: BenchCase = {
  name: 'loading',
  rounds: 5,
  async take(round) {
    const engine = round.peers.find((peer) => peer.engine !== undefined)?.engine;
    if (engine === undefined) return [];
    const contexts = new Map<Peer, string>();
    for (const peer of round.peers)
      contexts.set(peer, await makeContext(join(round.directory, `loading-${peer.name}`)));
    const build = (peer: Peer): Promise<unknown> | undefined =>
      peer.loads === true ? peer.build(contexts.get(peer) ?? '', { loadInto: engine }) : undefined;
    const take = (work: string) => inTurn(round, { case: 'loading', work: `100 MB into Docker, ${work}` }, build);
    const first = await take('cold');
    for (const context of contexts.values()) writeFileSync(join(context, 'app'), 'changed');
    return [...first, ...(await take('a small file changed')), ...(await take('unchanged'))];
  },
};

/** Peers build the same bytes: content of their own keeps the engine from having the layers of another. */
async function makeContext(directory: string): Promise<string> {
  mkdirSync(directory);
  writeFileSync(join(directory, 'Dockerfile'), 'FROM busybox\nCOPY data /\nCOPY app /\n');
  writeFileSync(join(directory, 'app'), 'first');
  await runChecked('sh', ['-c', 'head -c 100M /dev/urandom > data'], { cwd: directory });
  return directory;
}
