import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inTurn, type BenchCase } from '../case.ts';

/** Twelve steps in two stages, nothing changed since the last build. */
export const cachedSteps: BenchCase = {
  name: 'cached-steps',
  rounds: Infinity,
  async take(round) {
    const context = join(round.directory, 'cached');
    mkdirSync(join(context, 'src'), { recursive: true });
    for (let file = 0; file < 50; file++) writeFileSync(join(context, 'src', `${file}.txt`), `${file}\n`.repeat(100));
    writeFileSync(join(context, 'Dockerfile'), DOCKERFILE);
    for (const peer of round.peers) await peer.build(context);
    return inTurn(round, { case: 'cached-steps', work: '12 steps, all cached' }, (peer) => peer.build(context));
  },
};

const DOCKERFILE = `FROM busybox AS build
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
`;
