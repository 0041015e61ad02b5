import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildContext, good, runTbuild, writeFiles } from '../../support/tbuild.ts';

const DOCKERFILE = `FROM busybox AS build
ARG VERSION=1
COPY src /src
RUN echo $VERSION > /version
FROM busybox
COPY --from=build /version /src/a.c /
RUN true
`;

/** Returns the printed reason of each step that ran, by its instruction. */
function reasonsIn(output: string): Record<string, string> {
  const names = new Map(
    [...output.matchAll(/^#(\d+) \[(?:\S+ )?\d+\/\d+\] (.*)$/gm)].map(([, number = '', name = '']) => [number, name]),
  );
  return Object.fromEntries(
    [...output.matchAll(/^#(\d+) missed: (.*)$/gm)].map(([, number = '', reason = '']) => [
      names.get(number) ?? number,
      reason,
    ]),
  );
}

test('a step that runs reports what changed since its last run', async () => {
  const store = scratchDirectory('store');
  const context = writeFiles({ Dockerfile: DOCKERFILE, 'src/a.c': 'a\n', 'src/b.c': 'b\n' });
  const build = async (...args: string[]) =>
    reasonsIn(good(await buildContext(context, { store, args: ['--explain', ...args] })).stderr);
  const [copy, run, from, last] = [
    'COPY src /src',
    'RUN echo 1 > /version',
    'COPY --from=build /version /src/a.c /',
    'RUN true',
  ] as const;

  const fresh = await build();
  expect(fresh).toEqual({ [copy]: 'it is new', [run]: 'it is new', [from]: 'it is new', [last]: 'it is new' });
  expect(await build()).toEqual({});

  writeFileSync(join(context, 'src/b.c'), 'changed\n');
  expect(await build()).toEqual({ [copy]: 'file src/b.c changed', [run]: 'a step before it ran again' });

  chmodSync(join(context, 'src/a.c'), 0o755);
  rmSync(join(context, 'src/b.c'));
  writeFileSync(join(context, 'src/c.c'), 'new\n');
  const moved = await build();
  expect(moved[copy]).toBe('file src/a.c has another owner or mode, file src/c.c was added, file src/b.c was removed');
  expect(moved[from]).toBe('file src/a.c has another owner or mode');
  expect(moved[last]).toBe('a step before it ran again');

  expect(await build('--build-arg', 'VERSION=2')).toMatchObject({
    'RUN echo 2 > /version': 'variable VERSION changed',
    [from]: 'file version changed',
  });
  expect(Object.values(await build('--no-cache')).every((reason) => reason === 'the cache is off for this step')).toBe(
    true,
  );

  writeFileSync(join(context, 'Dockerfile'), DOCKERFILE.replace('RUN true', 'RUN false || true'));
  expect(await build()).toEqual({ 'RUN false || true': 'the instruction changed, it was "RUN true"' });

  good(await runTbuild(['prune', '--all', '--force'], { store }));
  expect(Object.values(await build()).every((reason) => /removed|new/.test(reason))).toBe(true);
});

test('--no-cache-filter runs the steps of its stage only, and rawjson says so', async () => {
  const store = scratchDirectory('store');
  const context = writeFiles({
    Dockerfile:
      'FROM busybox AS a\nRUN echo a > /a\nFROM busybox AS b\nRUN echo b > /b\nFROM busybox\nCOPY --from=a /a /\nCOPY --from=b /b /\n',
  });
  good(await buildContext(context, { store }));
  const next = good(await buildContext(context, { store, args: ['--no-cache-filter', 'b', '--progress', 'rawjson'] }));
  const missed = next.stderr
    .split('\n')
    .filter((line) => line.includes('"missed"'))
    .flatMap((line) => JSON.parse(line).vertexes);
  expect(
    missed.map(({ name, missed: reason }: { name: string; missed: string }) => [name.replace(/ \d\/\d/, ''), reason]),
  ).toEqual([['[b] RUN echo b > /b', 'the cache is off for this step']]);
});

const OPTIONS = `FROM busybox
COPY <<E /text
one
E
RUN true
`;
const TEXT = 'COPY <<E /text';

test.each<readonly [name: string, dockerfile: string, args: readonly string[], expected: Record<string, string>]>([
  [
    'text in the Dockerfile',
    OPTIONS.replace('one', 'two'),
    [],
    { [TEXT]: 'the text in the Dockerfile changed', 'RUN true': 'a step before it ran again' },
  ],
  ['the user', OPTIONS.replace('RUN', 'USER 5\nRUN'), [], { 'RUN true': 'user changed' }],
  ['a variable that is new', OPTIONS.replace('RUN', 'ENV A=b\nRUN'), [], { 'RUN true': 'variable A was added' }],
  ['the size of /dev/shm', OPTIONS, ['--shm-size', '1m'], { 'RUN true': 'option shmSize was added' }],
  ['an option of the whole build', OPTIONS, ['--ulimit', 'nofile=99:99'], { 'RUN true': 'option ulimits was added' }],
  [
    'the time that everything has',
    OPTIONS,
    ['--build-arg', 'SOURCE_DATE_EPOCH=5'],
    { [TEXT]: 'SOURCE_DATE_EPOCH was added', 'RUN true': 'a step before it ran again' },
  ],
  [
    'a step that was put in between',
    OPTIONS.replace('RUN', 'RUN echo more\nRUN'),
    [],
    { 'RUN echo more': 'it is new', 'RUN true': 'a step before it ran again' },
  ],
  ['a step that was taken out', 'FROM busybox\nRUN true\n', [], { 'RUN true': 'the base image changed' }],
  [
    'a base that is another image',
    OPTIONS.replace('FROM busybox', 'FROM debian'),
    [],
    { [TEXT]: 'the base image changed', 'RUN true': 'a step before it ran again' },
  ],
])('%s is what has changed', async (_name, dockerfile, args, expected) => {
  const store = scratchDirectory('store');
  const context = writeFiles({ Dockerfile: OPTIONS });
  const images = ['busybox', 'debian'] as const;
  good(await buildContext(context, { store, images }));
  writeFileSync(join(context, 'Dockerfile'), dockerfile);
  const { stderr } = good(await buildContext(context, { store, images, args: ['--explain', ...args] }));
  expect(reasonsIn(stderr)).toEqual(expected);
});

const MOUNT = 'RUN --mount=source=d,target=/m true';

test.each<readonly [name: string, before: string, after: string, expected: Record<string, string>]>([
  [
    'what is linked below',
    'COPY --link d/1 /\nCOPY --link d/3 /\nRUN true',
    'COPY --link d/2 /\nCOPY --link d/3 /\nRUN true',
    {
      'COPY --link d/2 /': 'file d/2 was added, file d/1 was removed',
      'RUN true': 'a step before it ran again',
    },
  ],
  ['ADD for COPY', 'COPY d /d', 'ADD d /d', { 'ADD d /d': 'the instruction changed, it was "COPY d /d"' }],
  [
    'another order of variables',
    'ENV A=1 B=2\nRUN true',
    'ENV B=2 A=1\nRUN true',
    { 'RUN true': 'the order of its variables or mounts changed' },
  ],
  [
    'a script in the Dockerfile',
    'RUN <<E\n#!/bin/sh\ntrue\nE',
    'RUN <<E\n#!/bin/sh\n:\nE',
    { 'RUN <<E (#!/bin/sh...)': 'the text in the Dockerfile changed' },
  ],
  [
    'a variable, told before files,',
    `ENV A=1\n${MOUNT}`,
    `ENV A=2\n${MOUNT}`,
    { [MOUNT]: 'variable A changed, file d has another owner or mode, file d/1 changed, and 2 more' },
  ],
])('%s is the reason', async (_name, before, after, expected) => {
  const store = scratchDirectory('store');
  const numbers = { 'd/1': '1', 'd/2': '2', 'd/3': '3' };
  const context = writeFiles({ Dockerfile: `FROM busybox\n${before}\n`, ...numbers });
  good(await buildContext(context, { store }));
  writeFiles({ Dockerfile: `FROM busybox\n${after}\n` }, context);
  if (after.includes(MOUNT)) {
    writeFiles({ 'd/1': 'a', 'd/2': 'b', 'd/3': 'c' }, context);
    chmodSync(join(context, 'd'), 0o700);
  }
  const { stderr } = good(await buildContext(context, { store, args: ['--explain'] }));
  expect(reasonsIn(stderr)).toEqual(expected);
});

test('a step that fails reports why it had to run', async () => {
  const store = scratchDirectory('store');
  const context = writeFiles({ Dockerfile: 'FROM busybox\nRUN exit 3\n' });
  const reasons = async () => reasonsIn((await buildContext(context, { store, args: ['--explain'] })).stderr);
  expect(await reasons()).toEqual({ 'RUN exit 3': 'it is new' });
  expect(await reasons()).toEqual({ 'RUN exit 3': 'its last run failed, or its result was removed' });
});

test('a step whose layer is missing from the cache reports that only the record was found', async () => {
  const cache = join(scratchDirectory('cache'), 'made');
  const dockerfile = 'FROM busybox AS build\nRUN echo a > /a; echo b > /b\nFROM busybox\nCOPY --from=build /a /\n';
  const context = writeFiles({ Dockerfile: dockerfile });
  const to = ['--cache-to', `type=local,dest=${cache}`];
  good(await buildContext(context, { store: scratchDirectory('store'), args: to }));
  writeFileSync(join(context, 'Dockerfile'), `${dockerfile}COPY --from=build /b /\n`);
  const args = ['--cache-from', `type=local,src=${cache}`, '--explain'];
  const { stderr } = good(await buildContext(context, { store: scratchDirectory('store'), args }));
  expect(reasonsIn(stderr)).toMatchObject({
    'RUN echo a > /a; echo b > /b': 'the cache record was found, but its layer is missing',
  });
});

describe.each(['min', 'max'])('a cache of mode %s', (mode) => {
  test('explains a miss on a machine that never ran the step, also after another machine extended the cache', async () => {
    const [first, second] = ['first', 'second'].map((name) => join(scratchDirectory('cache'), name));
    const context = writeFiles({ Dockerfile: DOCKERFILE, 'src/a.c': 'a\n', 'src/b.c': 'b\n' });
    const elsewhere = writeFiles({ Dockerfile: DOCKERFILE, 'src/a.c': 'a\n', 'src/b.c': 'b\n' });
    const to = (path = '') => ['--cache-to', `type=local,dest=${path},mode=${mode}`];
    const from = (path = '') => ['--cache-from', `type=local,src=${path}`];
    good(await buildContext(context, { store: scratchDirectory('store'), args: to(first) }));
    const carrying = [...from(first), ...to(second)];
    good(await buildContext(elsewhere, { store: scratchDirectory('store'), args: carrying }));
    writeFileSync(join(context, 'src/b.c'), 'changed\n');
    const args = [...from(second), '--explain', '--build-arg', 'VERSION=2'];
    const { stderr } = good(await buildContext(context, { store: scratchDirectory('store'), args }));
    expect(reasonsIn(stderr)).toMatchObject({
      'COPY src /src': 'file src/b.c changed',
      'RUN echo 2 > /version': 'a step before it ran again, variable VERSION changed',
      'COPY --from=build /version /src/a.c /': 'file version changed',
      'RUN true': 'a step before it ran again',
    });
  });
});
