import { join } from 'node:path';
import { inTurn, type BenchCase } from '../case.ts';

const context = join(import.meta.dirname, '../../fixtures/contexts/twenty-runs');

/** Twenty trivial RUN steps: the cost of a container. */
export const trivialRuns: BenchCase = {
  name: 'trivial-runs',
  rounds: Infinity,
  take: (round) =>
    inTurn(round, { case: 'trivial-runs', work: '20 RUN steps, cold' }, (peer) =>
      peer.build(context, { noCache: true }),
    ),
};
