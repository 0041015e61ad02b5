import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inTurn, type BenchCase } from '../case.ts';

/** The smallest build: the cost of the start itself. */
export const oneFile: BenchCase = {
  name: 'one-file',
  rounds: Infinity,
  async take(round) {
    const context = join(round.directory, 'one-file');
    mkdirSync(context);
    writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nCOPY file /\n');
    writeFileSync(join(context, 'file'), round.seed);
    return inTurn(round, { case: 'one-file', work: 'one file, cold' }, (peer) => peer.build(context));
  },
};
