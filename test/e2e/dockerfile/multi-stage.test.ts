import { expect, test } from 'vitest';
import { processesNaming } from '../../support/leftovers.ts';
import { stepsIn } from '../../support/plain-progress.ts';
import { buildGood, buildInline } from '../../support/tbuild.ts';

test('only the stages that the target needs are built', async () => {
  const build = await buildGood({
    Dockerfile: `FROM busybox AS unneeded
RUN exit 7
FROM busybox AS needed
RUN echo made > /made
FROM busybox
COPY --from=needed /made /
`,
  });
  expect(build.tree().readText('/made')).toBe('made\n');
  expect([...stepsIn(build.stderr).keys()].filter((name) => name.includes('exit 7'))).toEqual([]);
});

test('independent stages run in parallel', async () => {
  // Each stage waits for the other's file in a shared cache mount: in sequence they would never end.
  const meet = (own: string, other: string) =>
    `RUN --mount=type=cache,id=meeting,target=/m touch /m/${own}; i=0; while [ ! -e /m/${other} ]; do i=$((i+1)); [ $i -lt 200 ] || exit 1; sleep 0.05; done; echo ${own} > /met`;
  const build = await buildGood({
    Dockerfile: `FROM busybox AS left
${meet('left', 'right')}
FROM busybox AS right
${meet('right', 'left')}
FROM busybox
COPY --from=left /met /left
COPY --from=right /met /right
`,
  });
  expect(build.tree().readText('/left')).toBe('left\n');
  expect(build.tree().readText('/right')).toBe('right\n');
});

test('--target builds an earlier stage and ignores the case of its name', async () => {
  const build = await buildGood(
    { Dockerfile: 'FROM busybox AS First\nRUN echo 1 > /one\nFROM first\nRUN exit 1\n' },
    { args: ['--target', 'FIRST'] },
  );
  expect(build.tree().readText('/one')).toBe('1\n');
});

test('the first failure cancels its sibling and is the one reported', async () => {
  const marker = `82${Math.floor(Math.random() * 1e6)}`;
  const build = await buildInline({
    Dockerfile: `FROM busybox AS slow
RUN sleep ${marker}
FROM busybox AS failing
RUN sleep 0.3; echo the reason >&2; exit 42
FROM busybox
COPY --from=slow / /a
COPY --from=failing / /b
`,
  });
  expect(build.exitCode).toBe(1);
  expect(processesNaming(`sleep\0${marker}`)).toEqual([]);
  expect(build.stderr).toContain('the reason');
  expect(build.stderr).toContain('exit code: 42');
  expect(build.stderr).toMatch(/Dockerfile:4\b/);
});

test('--jobs 1 runs one step at a time', async () => {
  const step = (name: string) =>
    `RUN --mount=type=cache,id=alone,target=/m mkdir /m/busy && sleep 0.2 && rmdir /m/busy && echo ${name} > /done`;
  await buildGood(
    {
      Dockerfile: `FROM busybox AS left
${step('left')}
FROM busybox AS right
${step('right')}
FROM busybox
COPY --from=left /done /left
COPY --from=right /done /right
`,
    },
    { args: ['--jobs', '1'] },
  );
});
