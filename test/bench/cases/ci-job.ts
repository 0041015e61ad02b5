import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pushBaseImage } from '../../support/base-images.ts';
import { startRegistry } from '../../support/registry.ts';
import { canRunRegistry } from '../../support/requirements.ts';
import { startSlowProxy } from '../../support/slow-proxy.ts';
import { inTurn, type BenchCase } from '../case.ts';
import type { Peer } from '../peer.ts';

/** 3,000 files of packages, which do not change, and a compiler that reads them all and the sources. */
const DOCKERFILE = (base: string): string => `FROM ${base} AS build
WORKDIR /app
COPY install.js package.json ./
RUN node install.js
COPY compile.js .
COPY src src
RUN node compile.js
FROM ${base}
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
CMD ["node", "dist/0.js"]
`;

const INSTALL = `const { mkdirSync, writeFileSync } = require('node:fs');
for (let at = 0; at < 3000; at++) {
  const directory = 'node_modules/' + Math.floor(at / 20);
  mkdirSync(directory, { recursive: true });
  writeFileSync(directory + '/' + at + '.js', ('// ' + at + ' of a package\\n').repeat(1 + (at % 400)));
}
`;

const COMPILE = `const { mkdirSync, readdirSync, readFileSync, writeFileSync } = require('node:fs');
for (const name of readdirSync('node_modules', { recursive: true }))
  if (name.endsWith('.js')) readFileSync('node_modules/' + name);
mkdirSync('dist');
for (const name of readdirSync('src')) writeFileSync('dist/' + name, readFileSync('src/' + name, 'utf8').replaceAll('let', 'var'));
`;

/** A job of a CI on a fresh machine: imports the cache of the last one, runs what one changed file needs, pushes image and cache. */
export const ciJob: BenchCase = {
  name: 'ci-job',
  rounds: 3,
  async take(round) {
    if (!canRunRegistry) return [];
    await using registry = await startRegistry();
    await using slow = await startSlowProxy(registry.host, { bitsPerSecond: 100e6, delayMs: 20 });
    await pushBaseImage('node', registry.host);
    const context = join(round.directory, 'ci-job');
    mkdirSync(join(context, 'src'), { recursive: true });
    writeFileSync(join(context, 'install.js'), INSTALL);
    writeFileSync(join(context, 'compile.js'), COMPILE);
    writeFileSync(join(context, 'package.json'), `{ "version": "${round.seed}" }\n`);
    for (let at = 0; at < 200; at++) writeFileSync(join(context, `src/${at}.js`), `let a = ${at};\n`.repeat(100));
    const samples = [];
    for (const { host, work } of [
      { host: registry.host, work: 'CI job, one file changed' },
      { host: slow.host, work: '… with 100 Mbit/s and 20 ms to the registry' },
    ]) {
      writeFileSync(join(context, 'Dockerfile'), DOCKERFILE(`${host}/node`));
      const jobs = await openJobs(round.peers, host);
      for (const [peer, job] of jobs) {
        await job(context);
        await peer.forget();
      }
      appendFileSync(join(context, 'src/0.js'), `let changed = '${work}';\n`);
      samples.push(...(await inTurn(round, { case: 'ci-job', work }, (peer) => jobs.get(peer)?.(context))));
      for (const peer of jobs.keys()) await peer.forget();
    }
    return samples;
  },
};

type Job = (context: string) => Promise<unknown>;

async function openJobs(peers: readonly Peer[], host: string): Promise<ReadonlyMap<Peer, Job>> {
  const jobs = new Map<Peer, Job>();
  for (const peer of peers) {
    const build = await peer.openCaching?.();
    const image = `${host}/${peer.name.replaceAll(' ', '-')}`;
    const cache = `type=registry,ref=${image}:cache`;
    if (build === undefined) continue;
    jobs.set(peer, (context) => build(context, { push: `${image}:1`, cacheFrom: cache, cacheTo: `${cache},mode=max` }));
  }
  return jobs;
}
