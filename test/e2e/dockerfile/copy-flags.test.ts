import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { builders } from '../../support/builders.ts';
import { buildContext, buildGood, buildInline, good, writeFiles } from '../../support/tbuild.ts';

const FILES = {
  'src/a/one.txt': '1\n',
  'src/a/one.log': 'log\n',
  'src/b/deep/two.txt': '2\n',
  'src/b/deep/two.log': 'log\n',
  'top.txt': 'top\n',
};

/** Flags that Docker 26 does not know, so that no conformance golden can say what they do. */
describe.each(builders)('COPY and ADD by $who', ({ asUser }) => {
  const copy = async (lines: string) => {
    const tree = (await buildGood({ Dockerfile: `FROM scratch\n${lines}\n`, ...FILES }, { asUser })).tree();
    return [...tree.entries].flatMap(([path, { type }]) => (type === 'file' ? [path] : [])).sort();
  };

  test('--parents keeps the path, from the pivot on', async () => {
    expect(await copy('COPY --parents src/a/one.txt top.txt /d/')).toEqual(['/d/src/a/one.txt', '/d/top.txt']);
    expect(await copy('COPY --parents ./src/./*/deep/*.txt /d/')).toEqual(['/d/b/deep/two.txt']);
    expect(await copy('COPY --parents **/*.txt /d/')).toEqual([
      '/d/src/a/one.txt',
      '/d/src/b/deep/two.txt',
      '/d/top.txt',
    ]);
  });

  test('--exclude leaves out what matches, relative to each source', async () => {
    expect(await copy('COPY --exclude=**/*.log src /d/')).toEqual(['/d/a/one.txt', '/d/b/deep/two.txt']);
    expect(await copy('COPY --exclude=a --exclude=**/*.txt src /d/')).toEqual(['/d/b/deep/two.log']);
    expect(await copy('ADD --exclude=b --exclude=**/*.log src /d/')).toEqual(['/d/a/one.txt']);
  });

  test.each(['', ' --link', ' --link --chown=1:2'])('--parents, --exclude and%s together', async (flags) => {
    expect(await copy(`COPY${flags} --parents --exclude=**/*.log src/./b src/./a /d/`)).toEqual([
      '/d/a/one.txt',
      '/d/b/deep/two.txt',
    ]);
    const stages = `COPY . /from/\nFROM scratch\nCOPY --from=0${flags} --parents --exclude=**/*.log /from/./src /d/`;
    expect(await copy(stages)).toEqual(['/d/src/a/one.txt', '/d/src/b/deep/two.txt']);
  });

  test('a path without wildcards must exist, with --parents too', async () => {
    const build = await buildInline(
      { Dockerfile: 'FROM scratch\nCOPY --parents src/none /d/\n', ...FILES },
      { asUser },
    );
    expect(build.exitCode).toBe(1);
    expect(build.stderr).toContain('none');
  });

  test.each(['gzip', 'bzip2', 'xz', 'zstd'])('ADD unpacks %s, unless --unpack=false', async (program) => {
    const context = writeFiles({
      Dockerfile: 'FROM scratch\nADD a.any /in/\nADD --unpack=false a.any /as-is/\nCOPY a.any /copied/\n',
      ...FILES,
    });
    execFileSync('tar', ['-I', program, '-cf', 'a.any', 'top.txt'], { cwd: context });
    const { entries } = good(await buildContext(context, { asUser })).tree();
    const files = [...entries.keys()].filter((path) => entries.get(path)?.type === 'file');
    expect(files.sort()).toEqual(['/as-is/a.any', '/copied/a.any', '/in/top.txt']);
  });

  test('ONBUILD COPY --from names a stage of the Dockerfile that triggers it', async () => {
    const base =
      'FROM busybox AS base\nONBUILD COPY --from=files /one /two\nONBUILD RUN --mount=from=files,target=/m cat /m/one > /three\n';
    const files = 'FROM scratch AS files\nCOPY top.txt /one\n';
    const tree = (await buildGood({ Dockerfile: `${base}${files}FROM base\n`, ...FILES }, { asUser })).tree();
    expect([tree.readText('/two'), tree.readText('/three')]).toEqual(['top\n', 'top\n']);
  });
});
