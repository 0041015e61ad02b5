import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pushBaseImage } from '../../support/base-images.ts';
import { registerArm64 } from '../../support/binfmt.ts';
import { startRegistry } from '../../support/registry.ts';
import { canRegisterArm64, canRunRegistry } from '../../support/requirements.ts';
import { inTurn, type BenchCase } from '../case.ts';

/** A RUN for another architecture, which an emulator runs. */
export const emulated: BenchCase = {
  name: 'emulated',
  rounds: 1,
  async take(round) {
    if (!canRegisterArm64 || !canRunRegistry) return [];
    using _ = await registerArm64();
    await using registry = await startRegistry();
    const base = await pushBaseImage('busybox', registry.host);
    const context = join(round.directory, 'emulated');
    mkdirSync(context);
    const loop = 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done';
    writeFileSync(join(context, 'Dockerfile'), `FROM ${base}\nRUN ${loop}; echo ${round.seed} $i > /count\n`);
    return await inTurn(round, { case: 'emulated', work: 'RUN for arm64' }, (peer) =>
      peer.build(context, { pull: true, platform: 'linux/arm64' }),
    );
  },
};
