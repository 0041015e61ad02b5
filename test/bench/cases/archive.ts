import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChecked } from '../../support/run-process.ts';
import { floorOf, inTurn, type BenchCase, type Round } from '../case.ts';
import type { Compression, Peer } from '../peer.ts';
import type { Sample } from '../sample.ts';

/** A gigabyte that does not compress and 300 MB of text, written as an archive, and once more. */
export const archive: BenchCase = {
  name: 'archive',
  rounds: 1,
  async take(round) {
    const context = join(round.directory, 'archive');
    mkdirSync(join(context, 'data'), { recursive: true });
    await runChecked('sh', ['-c', 'head -c 1G /dev/urandom > data/random; seq 1 34000000 | head -c 300M > data/text'], {
      cwd: context,
    });
    writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nCOPY data /data\n');
    const samples: Sample[] = [];
    for (const compression of ['uncompressed', 'gzip', 'zstd'] as const) {
      for (const peer of round.peers) await peer.forget();
      samples.push(...(await takeArchive(round, context, compression)));
    }
    const floor = await floorOf(
      { case: 'archive', work: workOf('uncompressed') },
      'tar -cf ../floor-archive.tar data && sha256sum ../floor-archive.tar',
      context,
    );
    rmSync(join(round.directory, 'floor-archive.tar'));
    return [...samples, floor];
  },
};

function workOf(compression: Compression, again = ''): string {
  return `1.3 GB as archive, ${compression}${again}`;
}

async function takeArchive(round: Round, context: string, compression: Compression): Promise<Sample[]> {
  const path = join(round.directory, 'image.tar');
  const write = (peer: Peer): Promise<unknown> | undefined => {
    rmSync(path, { force: true });
    return peer.archives.includes(compression) ? peer.build(context, { archive: { path, compression } }) : undefined;
  };
  const first = await inTurn(round, { case: 'archive', work: workOf(compression) }, write);
  const second = await inTurn(round, { case: 'archive', work: workOf(compression, ', again') }, write);
  rmSync(path, { force: true });
  return [...first, ...second];
}
