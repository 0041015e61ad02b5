import { appendFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChecked } from '../support/run-process.ts';
import type { Peer } from './peer.ts';

/** One figure that is taken of each peer, in milliseconds. */
export interface Sample {
  readonly measurement: string;
  readonly peer: string;
  readonly milliseconds: number;
}

const fixtures = join(import.meta.dirname, '../../fixtures/contexts');

/** Twelve steps in two stages, nothing changed since the last build. */
export async function cachedRebuild(peers: readonly Peer[], directory: string): Promise<Sample[]> {
  const context = join(directory, 'cached');
  if (mkdirSync(join(context, 'src'), { recursive: true }) !== undefined) writeCachedContext(context);
  for (const peer of peers) await peer.build(context);
  return inTurn(peers, 'cached rebuild, 12 steps', (peer) => peer.build(context));
}

/** Twenty RUN steps that do next to nothing. */
export function trivialRuns(peers: readonly Peer[]): Promise<Sample[]> {
  return inTurn(peers, 'twenty RUN steps', (peer) => peer.build(join(fixtures, 'twenty-runs'), { noCache: true }));
}

/** 20,000 files, 200 MB: seen for the first time, with one changed, and unchanged. */
export async function manyFiles(peers: readonly Peer[], directory: string): Promise<Sample[]> {
  const seed = String(process.hrtime.bigint());
  const context = join(directory, `many-files-${seed}`);
  cpSync(join(fixtures, 'many-files'), context, { recursive: true });
  await runChecked('./generate.sh', [], { cwd: context, env: { SEED: seed } });
  const cold = await inTurn(peers, '20,000 files, cold', (peer) => peer.build(context));
  appendFileSync(join(context, 'files/0/000/00.txt'), 'changed\n');
  const changed = await inTurn(peers, '20,000 files, one changed', (peer) => peer.build(context));
  const unchanged = await inTurn(peers, '20,000 files, unchanged', (peer) => peer.build(context));
  return [...cold, ...changed, ...unchanged];
}

async function inTurn(peers: readonly Peer[], measurement: string, build: (peer: Peer) => Promise<unknown>): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const peer of peers) {
    // What the one before left to be written must not be the next one's burden.
    await runChecked('sync', []);
    const started = performance.now();
    await build(peer);
    samples.push({ measurement, peer: peer.name, milliseconds: performance.now() - started });
  }
  return samples;
}

function writeCachedContext(context: string): void {
  for (let file = 0; file < 50; file++) writeFileSync(join(context, 'src', `${file}.txt`), `${file}\n`.repeat(100));
  writeFileSync(
    join(context, 'Dockerfile'),
    `FROM busybox AS build
WORKDIR /src
COPY src src
RUN cat src/*.txt > all
RUN sort -u all > sorted
RUN gzip -c sorted > sorted.gz
FROM busybox
RUN mkdir -p /srv/data
WORKDIR /srv
COPY --from=build /src/sorted.gz data/
COPY src/1.txt src/2.txt data/
RUN gunzip -c data/sorted.gz > data/sorted
ENV MODE=production
RUN wc -l data/sorted > lines
COPY src/3.txt data/
RUN echo done > done
CMD ["cat", "lines"]
`,
  );
}
