import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildInline } from '../../support/tbuild.ts';

const DOCKERFILE = `FROM busybox AS made
RUN head -c 100000 /dev/urandom > /made
FROM busybox AS waits
RUN --mount=type=cache,target=/c touch /c/waits; n=0; until [ -e /c/go ]; do n=$((n+1)); [ $n -lt 6000 ] || exit 1; sleep 0.1; done; touch /waited
FROM busybox
COPY --from=made /made /
COPY --from=waits /waited /
`;

test('the layers of all stages are compressed for a cache while later steps still run', async () => {
  const [store, cache] = [scratchDirectory('store'), join(scratchDirectory('cache'), 'made')];
  const args = ['--cache-to', `type=local,dest=${cache},mode=max`];
  const building = buildInline({ Dockerfile: DOCKERFILE }, { store, args });
  // Only the form for the cache is compressed: images in the store are not.
  const hasVariant = () => existsSync(join(store, 'variants')) && readdirSync(join(store, 'variants')).length > 0;
  await eventually(hasVariant);
  const wasPrepared = hasVariant() && !existsSync(cache);
  const mounts = join(store, 'cache-mounts');
  await eventually(() => existsSync(mounts) && readdirSync(mounts).length > 0);
  for (const name of readdirSync(mounts)) {
    await eventually(() => existsSync(join(mounts, name, '0/waits')));
    writeFileSync(join(mounts, name, '0/go'), '');
  }
  expect((await building).exitCode).toBe(0);
  expect(wasPrepared).toBe(true);
});
