import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inTurn, type BenchCase } from '../case.ts';

const stages = [1, 2, 3, 4, 5, 6, 7, 8];

/** Eight stages that each wait a second, brought together in a ninth. */
export const eightStages: BenchCase = {
  name: 'eight-stages',
  rounds: 2,
  async take(round) {
    const context = join(round.directory, 'eight-stages');
    mkdirSync(context);
    const made = stages.map(
      (stage) => `FROM busybox AS s${stage}\nRUN sleep 1 && echo ${round.seed} ${stage} > /out-${stage}\n`,
    );
    const copied = stages.map((stage) => `COPY --from=s${stage} /out-${stage} /\n`);
    writeFileSync(join(context, 'Dockerfile'), [...made, 'FROM busybox\n', ...copied].join(''));
    const at = (work: string) => ({ case: 'eight-stages', work: `8 stages of sleep 1, ${work}` });
    const cold = await inTurn(round, at('cold'), (peer) => peer.build(context));
    return [...cold, ...(await inTurn(round, at('unchanged'), (peer) => peer.build(context)))];
  },
};
