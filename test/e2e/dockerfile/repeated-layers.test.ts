import { describe, expect, test } from 'vitest';
import { loadBaseImage } from '../../support/base-images.ts';
import { builders } from '../../support/builders.ts';
import { docker } from '../../support/docker.ts';
import { isolations } from '../../support/isolations.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { buildContext, buildGood, good, userDirectory, writeFiles } from '../../support/tbuild.ts';

/** A stage whose tree has one layer three times. */
const repeated = 'COPY --link f /d/a\nCOPY --link g /d/a\nCOPY --link f /d/a\nCOPY --link f /d/a\n';
const files = { f: 'f', g: 'g' };

const steps = `FROM busybox AS first
${repeated}RUN cat /d/a > /d/first
FROM first AS second
${repeated}RUN cat /d/a /d/first > /d/second && rm /d/first
FROM busybox
COPY --from=second /d /e
${repeated}RUN --mount=from=second,source=/d,target=/m --mount=from=second,source=/d,target=/w,rw \
  touch /w/x && ls /m /w /d /e > /names
`;
const names = '/d:\na\n\n/e:\na\nsecond\n\n/m:\na\nsecond\n\n/w:\na\nsecond\nx\n';

const cases = builders.flatMap(({ who, asUser }) =>
  isolations.filter((isolation) => !asUser || isolation !== 'chroot').map((isolation) => ({ who, asUser, isolation })),
);

describe.each(cases)('a layer that a tree has more than once: $isolation by $who', ({ asUser, isolation }) => {
  const newStore = (): string => (asUser ? userDirectory('store') : scratchDirectory('store'));

  test('RUN sees the tree, across stages and in mounts', async () => {
    const args = ['--isolation', isolation];
    const build = await buildGood({ ...files, Dockerfile: steps }, { asUser, store: newStore(), args });
    expect(build.tree().readText('/names')).toBe(names);
    expect(build.tree().readText('/e/second')).toBe('ff');
  });

  test('RUN sees the tree that comes from an imported cache', async () => {
    const cache = asUser ? userDirectory('cache') : scratchDirectory('cache');
    const context = writeFiles({ ...files, Dockerfile: steps });
    const args = ['--isolation', isolation];
    const to = ['--cache-to', `type=local,dest=${cache},mode=max`];
    good(await buildContext(context, { asUser, store: newStore(), args: [...args, ...to] }));
    writeFiles({ Dockerfile: `${steps}RUN cat /d/a /e/a > /both\n` }, context);
    const from = ['--cache-from', `type=local,src=${cache}`];
    const build = good(await buildContext(context, { asUser, store: newStore(), args: [...args, ...from] }));
    expect(build.stderr).toMatch(/\[second \d\/\d\] RUN .*\n#\d+ CACHED/);
    expect(build.tree().readText('/both')).toBe('ff');
    expect(build.tree().readText('/names')).toBe(names);
  });

  test('RUN works on a base image that Docker built and pushed', needs('docker', 'registry'), async () => {
    const [host, registry] = [await sharedService('docker'), await sharedService('registry')];
    await loadBaseImage('busybox');
    const name = `${registry}/repeated:${isolation}-${asUser ? 'user' : 'root'}`;
    const Dockerfile = `FROM busybox\nWORKDIR /tmp\nWORKDIR /etc\nRUN true\n${repeated}WORKDIR /tmp\n`;
    await docker(host, ['buildx', 'build', '--quiet', '--tag', name, writeFiles({ ...files, Dockerfile })]);
    await docker(host, ['push', '--quiet', name]);
    const build = await buildGood(
      { Dockerfile: `FROM ${name}\nRUN ls /d > /names && cat /d/a >> /names\n` },
      { asUser, store: newStore(), args: ['--isolation', isolation] },
    );
    const layers = build.image().config.rootfs.diff_ids;
    expect(new Set(layers).size).toBeLessThan(layers.length - 2);
    expect(build.tree().readText('/names')).toBe('a\nf');
  });
});
