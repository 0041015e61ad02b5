import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pushBaseImage } from '../../support/base-images.ts';
import { startRegistry } from '../../support/registry.ts';
import { canRunRegistry } from '../../support/requirements.ts';
import { inTurn, type BenchCase } from '../case.ts';

/** Pulls a Debian base, runs one RUN and pushes the result, with nothing cached. */
export const pullRunPush: BenchCase = {
  name: 'pull-run-push',
  rounds: 2,
  async take(round) {
    if (!canRunRegistry) return [];
    await using registry = await startRegistry();
    const base = await pushBaseImage('debian', registry.host);
    const context = join(round.directory, 'pull-run-push');
    mkdirSync(context);
    writeFileSync(join(context, 'Dockerfile'), `FROM ${base}\nRUN echo ${round.seed} > /seed\n`);
    for (const peer of round.peers) await peer.forget();
    return await inTurn(round, { case: 'pull-run-push', work: 'pull Debian, RUN, push' }, (peer) =>
      peer.build(context, { pull: true, push: `${registry.host}/result-${peer.name.replaceAll(' ', '-')}:1` }),
    );
  },
};
