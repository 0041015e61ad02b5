import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inTurn, type BenchCase } from '../case.ts';
import type { Bake, Peer } from '../peer.ts';

const targets = Array.from({ length: 12 }, (_, at) => `service-${at + 1}`);

/** Twelve targets for three platforms on one base: one after the other, and as one build. */
export const bakedTargets: BenchCase = {
  name: 'baked-targets',
  rounds: 2,
  async take(round) {
    const bakes = new Map<Peer, Bake>();
    for (const peer of round.peers) {
      const bake = await peer.openBake?.();
      if (bake !== undefined) bakes.set(peer, bake);
    }
    const at = (work: string) => ({ case: 'baked-targets', work: `12 targets for 3 platforms, ${work}` });
    const apart = writeProject(join(round.directory, 'apart'), `${round.seed} apart`);
    const together = writeProject(join(round.directory, 'together'), `${round.seed} together`);
    const oneByOne = (bake: Bake | undefined) => bake && inOrder(targets, (target) => bake(apart, [target]));
    return [
      ...(await inTurn(round, at('one after the other'), (peer) => oneByOne(bakes.get(peer)))),
      ...(await inTurn(round, at('as one'), (peer) => bakes.get(peer)?.(together))),
      ...(await inTurn(round, at('unchanged'), (peer) => bakes.get(peer)?.(together))),
    ];
  },
};

async function inOrder<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  for (const item of items) await work(item);
}

/** Each target compiles for each platform on the base, which waits as a download does. */
function writeProject(directory: string, seed: string): string {
  mkdirSync(join(directory, 'base'), { recursive: true });
  writeFileSync(join(directory, 'base/Dockerfile'), `FROM busybox\nRUN sleep 1 && echo ${seed} > /tools\n`);
  mkdirSync(join(directory, 'src'));
  for (let file = 0; file < 100; file++)
    writeFileSync(join(directory, `src/${file}.c`), `${seed} ${file}\n`.repeat(50));
  writeFileSync(
    join(directory, 'Dockerfile'),
    `FROM --platform=$BUILDPLATFORM base AS build
ARG SERVICE
ARG TARGETARCH
COPY src /src
RUN sleep 1 && echo "$SERVICE $TARGETARCH" | cat - /src/* > /program
FROM scratch
COPY --from=build /program /
`,
  );
  writeFileSync(
    join(directory, 'docker-bake.hcl'),
    `target "base" { context = "base" }
target "service" {
  name      = service
  matrix    = { service = ${JSON.stringify(targets)} }
  contexts  = { base = "target:base" }
  args      = { SERVICE = service }
  platforms = ["linux/amd64", "linux/arm64", "linux/riscv64"]
  output    = ["type=cacheonly"]
}
group "default" { targets = ["service"] }
`,
  );
  return directory;
}
