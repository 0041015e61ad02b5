import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase } from '../case.ts';
import type { Sample } from '../sample.ts';

const STEPS = 20;
const twenty = join(import.meta.dirname, '../../fixtures/contexts/twenty-runs');

/** The cost of a RUN step in each isolation: twenty trivial steps, less a build without any. */
export const isolations: BenchCase = {
  name: 'isolations',
  rounds: Infinity,
  async take(round) {
    const none = join(round.directory, 'isolations');
    mkdirSync(none);
    writeFileSync(join(none, 'Dockerfile'), 'FROM busybox\n');
    const samples: Sample[] = [];
    for (const peer of round.peers) {
      for (const isolation of peer.isolations ?? []) {
        const time = async (context: string): Promise<number> => {
          const started = performance.now();
          await peer.build(context, { noCache: true, isolation });
          return performance.now() - started;
        };
        await time(none);
        const milliseconds = ((await time(twenty)) - (await time(none))) / STEPS;
        samples.push({ case: 'isolations', work: `a RUN step, ${isolation}`, peer: peer.name, milliseconds });
      }
    }
    return samples;
  },
};
