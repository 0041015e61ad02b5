import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startRegistry } from '../../support/registry.ts';
import { canRunRegistry } from '../../support/requirements.ts';
import { inTurn, type BenchCase } from '../case.ts';
import type { BuildAndCache, Peer } from '../peer.ts';

/** 60 MB of files in four steps of two stages, of which the image has one. */
const DOCKERFILE = (seed: string): string => `FROM busybox AS build
RUN echo ${seed}; for d in $(seq 100); do mkdir -p /deps/$d; for f in $(seq 20); do head -c 4000 /dev/urandom | od -x > /deps/$d/$f; done; done
COPY src /src
RUN head -c 10000000 /dev/urandom | od -x | head -c 20000000 > /out
RUN head -c 10000000 /dev/urandom > /more
FROM busybox
COPY --from=build /out /more /app/
`;

/**
 * Builds with nothing cached, without a cache to export, and with one in a directory and in a registry. The export must
 * not take longer than the build: no row is more than twice the first one.
 */
export const cacheExport: BenchCase = {
  name: 'cache-export',
  rounds: 2,
  async take(round) {
    if (!canRunRegistry) return [];
    await using registry = await startRegistry();
    const context = join(round.directory, 'cache-export');
    mkdirSync(join(context, 'src'), { recursive: true });
    for (let at = 0; at < 1000; at += 1) writeFileSync(join(context, `src/${at}`), `${round.seed} ${at}\n`.repeat(200));
    const caching = new Map<Peer, BuildAndCache>();
    for (const peer of round.peers) {
      const build = await peer.openCaching?.();
      if (build !== undefined) caching.set(peer, build);
    }
    const take = (work: string, cacheTo?: (peer: string) => string) => {
      writeFileSync(join(context, 'Dockerfile'), DOCKERFILE(`${round.seed} ${work}`));
      return inTurn(round, { case: 'cache-export', work }, (peer) =>
        caching.get(peer)?.(context, { cacheTo: cacheTo?.(peer.name.replaceAll(' ', '-')) }),
      );
    };
    return [
      ...(await take('60 MB in 4 steps, no export')),
      ...(await take('… and mode=max to a directory', (name) => `type=local,dest=${context}.${name},mode=max`)),
      ...(await take('… and to a registry', (name) => `type=registry,ref=${registry.host}/${name}:cache,mode=max`)),
    ];
  },
};
