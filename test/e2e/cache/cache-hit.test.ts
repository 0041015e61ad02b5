import {
  chmodSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pushBaseImage } from '../../support/base-images.ts';
import { builders } from '../../support/builders.ts';
import { eventually } from '../../support/eventually.ts';
import { ranIn, statusOf } from '../../support/plain-progress.ts';
import { program } from '../../support/program.ts';
import { startRegistry } from '../../support/registry.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildContext, buildGood, buildInline, good, writeFiles, type InlineBuild } from '../../support/tbuild.ts';
import { withoutLimits } from '../../support/without-limits.ts';

const fixtures = join(import.meta.dirname, '../../../fixtures/contexts');
const ran = (build: InlineBuild) => ranIn(build.stderr);

describe.each(builders)('a second build by $who', ({ asUser }) => {
  test('reruns only the steps that read a changed file', async () => {
    const context = scratchDirectory('sleepy');
    cpSync(join(fixtures, 'sleepy'), context, { recursive: true });
    const build = async () => good(await buildContext(context, { asUser }));

    const first = await build();
    expect(ran(first)).toEqual(['RUN sleep 3', 'COPY index.html /www/']);

    const second = await build();
    expect(ran(second)).toEqual([]);
    expect(second.image().manifest.config.digest).toBe(first.image().manifest.config.digest);

    utimesSync(join(context, 'index.html'), new Date(1e12), new Date(1e12));
    expect(ran(await build())).toEqual([]);

    writeFileSync(join(context, 'index.html'), 'changed\n');
    const changed = await build();
    expect(ran(changed)).toEqual(['COPY index.html /www/']);
    expect(changed.tree().readText('/www/index.html')).toBe('changed\n');
  });
});

test('a copy from a stage reads nothing again that the steps which ran again left alone', async () => {
  const store = scratchDirectory('store');
  const files = {
    Dockerfile: `FROM busybox AS build
RUN mkdir -p /app/packages && echo whole > /app/packages/f
ARG VERSION
RUN mkdir /app/dist && echo $VERSION > /app/dist/f
FROM scratch
COPY --from=build /app/packages /packages
`,
  };
  const build = (version: string) => buildGood(files, { store, args: ['--build-arg', `VERSION=${version}`] });
  await build('1');
  // Other bytes, which show whether the file is read.
  const places = readdirSync(join(store, 'snapshots')).map((name) =>
    join(store, 'snapshots', name, 'fs/app/packages/f'),
  );
  const written = places.filter((place) => existsSync(place));
  expect(written).toHaveLength(1);
  for (const place of written) writeFileSync(place, 'other\n');
  expect(ran(await build('2'))).toEqual(['RUN mkdir /app/dist && echo 2 > /app/dist/f']);
});

test('a changed step reruns the steps after it, not those before it or in other stages', async () => {
  const context = writeFiles({
    Dockerfile: `FROM busybox AS tool
RUN echo tool > /tool
FROM busybox
RUN echo before > /before
COPY a.txt /a.txt
RUN cat /a.txt > /after
COPY --from=tool /tool /tool
COPY b.txt /b.txt
`,
    'a.txt': '1\n',
    'b.txt': '1\n',
  });
  good(await buildContext(context));
  writeFileSync(join(context, 'a.txt'), '2\n');
  const build = good(await buildContext(context));
  expect(ran(build)).toEqual([
    'COPY a.txt /a.txt',
    'RUN cat /a.txt > /after',
    'COPY --from=tool /tool /tool',
    'COPY b.txt /b.txt',
  ]);
  expect(build.tree().readText('/after')).toBe('2\n');
});

test(
  'a cached build with --pull=missing uses no network, reads no layer and starts only the launcher',
  needs('strace', 'registry'),
  async () => {
    const store = scratchDirectory('store');
    const context = writeFiles({ f: 'f\n' });
    const build = () => [program, '--root', store, '--tag', 'app:1', '--pull=missing', '--progress', 'plain', context];
    // A disk that is nearly full is work for a process after the build.
    const env = { HOME: scratchDirectory('home'), ...withoutLimits };
    {
      await using registry = await startRegistry();
      const base = await pushBaseImage('busybox', registry.host);
      writeFiles(
        { Dockerfile: `FROM ${base} AS one\nRUN echo 1 > /1\nFROM ${base}\nCOPY f /\nCOPY --from=one /1 /\n` },
        context,
      );
      await runChecked('/usr/bin/env', build(), { env });
    }
    // The registry is gone. The start snapshot, made once a version, is no part of a later build.
    await runChecked('/usr/bin/env', build(), { env });
    const remembered = () => readdirSync(join(env.HOME, '.cache/tbuild'));
    await eventually(() => remembered().some((name) => /^snapshot-.*node$/.test(name)));
    const log = join(scratchDirectory('trace'), 'log');
    const traced = async () => {
      const filter = ['-f', '-qq', '-e', 'trace=execve,socket,openat', '-o', log];
      await runChecked('strace', [...filter, ...build()], { env });
      return readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => !/ENOENT|resumed>/.test(line));
    };
    const lines = await traced();
    const programs = lines.flatMap((line) => /execve\("(?:[^"]*\/)?([^"/]+)"/.exec(line)?.[1] ?? []);
    expect(programs).toEqual(['tbuild', 'stat', 'unshare', 'node']);
    expect(lines.filter((line) => line.includes('socket('))).toEqual([]);
    const blobs = new Set(lines.flatMap((line) => /blobs\/sha256\/(\w+)/.exec(line)?.[1] ?? []));
    for (const blob of blobs)
      expect(
        readFileSync(join(store, 'blobs/sha256', blob))
          .subarray(0, 1)
          .toString(),
      ).toBe('{');
  },
);

test('a file that a COPY does not name does not invalidate it', async () => {
  const context = writeFiles({ Dockerfile: 'FROM busybox\nCOPY src /src\n', 'src/a': '1\n', other: '1\n' });
  good(await buildContext(context));
  writeFileSync(join(context, 'other'), '2\n');
  expect(ran(good(await buildContext(context)))).toEqual([]);
});

test('a COPY stays cached when its source stage reran and made the same file', async () => {
  const files = (version: string) => ({
    Dockerfile: `FROM busybox AS build
COPY version /version
RUN echo constant > /out
FROM busybox
COPY --from=build /out /out
RUN cp /out /copy
`,
    version,
  });
  await buildGood(files('1\n'));
  const build = await buildGood(files('2\n'));
  expect(ran(build)).toEqual(['COPY version /version', 'RUN echo constant > /out']);
});

test('a changed file mode or link target invalidates a COPY', async () => {
  const context = (mode: string, target: string) => ({
    Dockerfile: `FROM busybox AS s\nRUN touch /f && chmod ${mode} /f && ln -s ${target} /l\nFROM busybox\nCOPY --from=s /f /l /d/\nRUN true\n`,
  });
  await buildGood({ Dockerfile: 'FROM busybox\nCOPY f /f\n', f: 'x\n' });
  expect(ran(await buildGood({ Dockerfile: 'FROM busybox\nCOPY f /f\n', f: '#!x\n' }))).toHaveLength(1);
  await buildGood(context('644', 'f'));
  expect(ran(await buildGood(context('600', 'f')))).toContain('RUN true');
});

test('the mode of a source is not in the key of a copy whose octal --chmod replaces it', async () => {
  const context = writeFiles({
    Dockerfile: `FROM busybox AS s
COPY d /d
FROM busybox
COPY --chmod=750 f d /octal/
COPY --chmod=640 --from=s /d /from/
FROM busybox
COPY --chmod=u+w f /symbolic
FROM scratch
COPY --from=1 /octal /from /
COPY --from=2 /symbolic /
`,
    f: 'f\n',
    'd/e/g': 'g\n',
  });
  const build = async () => good(await buildContext(context));
  const modes = (made: InlineBuild) =>
    ['/f', '/e', '/e/g', '/symbolic'].map((path) => made.tree().entries.get(path)?.mode);
  const first = await build();
  expect(ran(await build())).toEqual([]);
  for (const path of ['f', 'd/e', 'd/e/g']) chmodSync(join(context, path), 0o711);
  const changed = await build();
  // The copies without an octal mode ran, and one that reads what they made.
  expect(ran(changed).toSorted()).toEqual(['COPY --chmod=u+w f /symbolic', 'COPY --from=2 /symbolic /', 'COPY d /d']);
  expect(modes(changed).slice(0, 3)).toEqual(modes(first).slice(0, 3));
  expect(modes(changed)[3]).not.toBe(modes(first)[3]);
});

test('a changed mode of a mounted directory reruns the step; that of the root or another name does not', async () => {
  const dockerfile = (source: string, mode: string) => `FROM busybox AS made
RUN mkdir -m ${mode} /made
FROM busybox
RUN --mount=source=${source},target=/m stat -c %a /m > /context
RUN --mount=from=made,source=/made,target=/m stat -c %a /m > /stage
`;
  const context = writeFiles({ 'src/f': 'f\n' });
  const file = join(scratchDirectory('dockerfile'), 'Dockerfile');
  const build = async (source: string, mode: string) => {
    writeFileSync(file, dockerfile(source, mode));
    return good(await buildContext(context, { args: ['--file', file] }));
  };
  const first = await build('src', '755');
  expect(['/context', '/stage'].map(first.tree().readText)).toEqual(['755\n', '755\n']);
  renameSync(join(context, 'src'), join(context, 'renamed'));
  expect(ran(await build('renamed', '755'))).toEqual([]);
  chmodSync(join(context, 'renamed'), 0o700);
  const next = await build('renamed', '711');
  expect(['/context', '/stage'].map(next.tree().readText)).toEqual(['700\n', '711\n']);
});

test('a RUN that mounts the context stays cached when the context moves', async () => {
  const context = writeFiles({ Dockerfile: 'FROM busybox\nRUN --mount=target=/m stat -c %a /m > /mode\n' });
  chmodSync(context, 0o700);
  expect(
    good(await buildContext(context))
      .tree()
      .readText('/mode'),
  ).toBe('755\n');
  chmodSync(context, 0o755);
  expect(ran(good(await buildContext(context)))).toEqual([]);
});

test('a changed build argument reruns only the steps after its ARG', async () => {
  const files = { Dockerfile: 'FROM busybox\nRUN echo early\nARG V\nRUN echo late\n' };
  await buildGood(files, { args: ['--build-arg', 'V=1'] });
  expect(ran(await buildGood(files, { args: ['--build-arg', 'V=1'] }))).toEqual([]);
  expect(ran(await buildGood(files, { args: ['--build-arg', 'V=2'] }))).toEqual(['RUN echo late']);
});

test('--no-cache records the current times of files, in directories and across stages, and later builds keep them', async () => {
  const context = writeFiles({
    Dockerfile: `FROM scratch AS files
COPY a.txt /alone/
COPY directory /copied/
FROM scratch
COPY a.txt /alone/
COPY directory /copied/
COPY --from=files / /through/
COPY --link a.txt /linked/
WORKDIR /made
COPY a.txt b.txt /last/
`,
    'a.txt': 'a\n',
    'b.txt': 'b\n',
    'directory/in/it.txt': 'it\n',
  });
  const paths = ['/alone/a.txt', '/copied/in/it.txt', '/through/alone/a.txt', '/through/copied/in/it.txt'].concat([
    '/linked/a.txt',
    '/made',
    '/last/b.txt',
  ]);
  const timesOf = async (args: readonly string[] = []) => {
    const tree = good(await buildContext(context, { args })).tree();
    return new Set(paths.map((path) => tree.mtime(path)));
  };
  const setTimes = (seconds: number) => {
    for (const name of ['Dockerfile', 'a.txt', 'b.txt', 'directory/in/it.txt'])
      utimesSync(join(context, name), seconds, seconds);
  };
  setTimes(1_000_000_000);
  expect(await timesOf()).toEqual(new Set([1_000_000_000]));
  setTimes(1_100_000_000);
  expect(await timesOf()).toEqual(new Set([1_000_000_000]));
  expect(await timesOf(['--no-cache'])).toEqual(new Set([1_100_000_000]));
  expect(await timesOf()).toEqual(new Set([1_100_000_000]));
});

test('--no-cache runs every step, and the next build uses the new results', async () => {
  const files = { Dockerfile: 'FROM busybox\nRUN cat /proc/sys/kernel/random/uuid > /u\nRUN cp /u /v\n' };
  const first = await buildGood(files);
  const again = await buildGood(files, { args: ['--no-cache'] });
  expect(ran(again)).toHaveLength(2);
  expect(again.tree().readText('/u')).not.toBe(first.tree().readText('/u'));
  const third = await buildGood(files);
  expect(ran(third)).toEqual([]);
  expect(third.tree().readText('/v')).toBe(again.tree().readText('/u'));
});

test('two concurrent builds on one store both succeed', async () => {
  const files = (name: string) => ({
    Dockerfile: `FROM busybox\nRUN sleep 0.3; cat /proc/sys/kernel/random/uuid > /shared\nCOPY own /own\nRUN cat /shared /own > /both\n`,
    own: `${name}\n`,
  });
  const builds = await Promise.all(['a', 'b', 'c', 'a'].map((name) => buildGood(files(name))));
  for (const [index, name] of ['a', 'b', 'c', 'a'].entries()) {
    const tree = builds[index]!.tree();
    expect(tree.readText('/both')).toBe(`${tree.readText('/shared')}${name}\n`);
  }
});

test('a failed step is not cached, the steps before it are', async () => {
  const files = { Dockerfile: 'FROM busybox\nRUN echo fine > /fine\nRUN test -e /fine && exit 5\n' };
  expect((await buildInline(files)).exitCode).toBe(1);
  const second = await buildInline(files);
  expect(second.exitCode).toBe(1);
  expect(statusOf(second.stderr, 'RUN echo fine')).toBe('cached');
  expect(statusOf(second.stderr, 'exit 5')).toBe('error');
});
