import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratchDirectory } from '../support/scratch.ts';
import { buildContext, good, runTbuild, writeFiles } from '../support/tbuild.ts';

const DOCKERFILE = `FROM busybox AS build
ARG VERSION=1
COPY src /src
RUN echo $VERSION > /version
FROM busybox
COPY --from=build /version /src/a.c /
RUN true
`;

/** What is printed of each step that ran: its words → the reason. */
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

test('a step that runs says what has changed since it ran last', async () => {
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
  expect(moved[copy]).toBe(
    'file src/a.c has other permissions or another owner, file src/c.c is new, file src/b.c is gone',
  );
  expect(moved[from]).toBe('file src/a.c has other permissions or another owner');
  expect(moved[last]).toBe('a step before it ran again');

  expect(await build('--build-arg', 'VERSION=2')).toMatchObject({
    'RUN echo 2 > /version': 'variable VERSION changed',
    [from]: 'file version changed',
  });
  expect(Object.values(await build('--no-cache')).every((reason) => reason === 'the cache is turned off for it')).toBe(
    true,
  );

  writeFileSync(join(context, 'Dockerfile'), DOCKERFILE.replace('RUN true', 'RUN false || true'));
  expect(await build()).toEqual({ 'RUN false || true': 'the instruction changed: it was "RUN true"' });

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
  ).toEqual([['[b] RUN echo b > /b', 'the cache is turned off for it']]);
});
