import { appendFileSync, cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChecked } from '../../support/run-process.ts';
import { floorOf, inTurn, type BenchCase, type Round } from '../case.ts';
import type { Sample } from '../sample.ts';

const fixture = join(import.meta.dirname, '../../fixtures/contexts/many-files');

/** 20,000 files, 200 MB: new, with one changed, unchanged, and with a compressed layer. */
export const manyFiles: BenchCase = {
  name: 'many-files',
  rounds: 2,
  async take(round) {
    const context = join(round.directory, 'many-files');
    cpSync(fixture, context, { recursive: true });
    await runChecked('./generate.sh', [], { cwd: context, env: { SEED: round.seed } });
    writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nCOPY files /files\nRUN ls /files > /list\n');
    const at = (work: string) => ({ case: 'many-files', work: `20,000 files, ${work}` });
    const floor = await floorOf(
      at('cold'),
      `cp -a files ../floor && tar -cf ../floor.tar files && sha256sum ../floor.tar`,
      context,
    );
    const cold = await inTurn(round, at('cold'), (peer) => peer.build(context));
    appendFileSync(join(context, 'files/0/000/00.txt'), 'changed\n');
    const changed = await inTurn(round, at('one changed'), (peer) => peer.build(context));
    const find = await floorOf(at('unchanged'), `find files -printf '%i %C@ %T@ %s\n'`, context);
    const unchanged = await inTurn(round, at('unchanged'), (peer) => peer.build(context));
    return [floor, ...cold, ...changed, find, ...unchanged, ...(await takeCompressed(round, context))];
  },
};

/** Other files, which no peer has cached, as an archive with compressed layers. */
async function takeCompressed(round: Round, context: string): Promise<Sample[]> {
  await runChecked('./generate.sh', [], { cwd: context, env: { SEED: `${round.seed} compressed` } });
  const path = join(round.directory, 'image.tar');
  const samples = await inTurn(round, { case: 'many-files', work: '20,000 files, cold, as gzip archive' }, (peer) => {
    rmSync(path, { force: true });
    return peer.archives.includes('gzip') ? peer.build(context, { archive: { path, compression: 'gzip' } }) : undefined;
  });
  rmSync(path, { force: true });
  return samples;
}
