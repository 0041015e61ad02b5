import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builders } from '../../support/builders.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildInline, good, runTbuild, userDirectory, writeFiles } from '../../support/tbuild.ts';

const dockerfile = (end: string): string =>
  `FROM busybox\nWORKDIR /app\nRUN mkdir -p reports/sub && echo '<x/>' > reports/junit.xml && echo b > reports/sub/b && ${end}\n`;

describe.each(builders)('of $who', ({ asUser }) => {
  const place = () => join(asUser ? userDirectory('files') : scratchDirectory('files'), 'out');
  const build = (out: string, options: string, end: string) =>
    buildInline({ Dockerfile: dockerfile(end) }, { asUser, args: ['-o', `type=local,dest=${out},${options}`] });

  test('files of a failed step come out with when=failure and when=always, and the build still fails', async () => {
    for (const when of ['failure', 'always']) {
      const out = place();
      const failed = await build(out, `from=/app/reports,when=${when}`, 'exit 7');
      expect(failed.exitCode).toBe(1);
      expect(failed.stderr).toContain('did not complete successfully: exit code: 7');
      expect(readFileSync(join(out, 'junit.xml'), 'utf8')).toBe('<x/>\n');
      expect(readFileSync(join(out, 'sub/b'), 'utf8')).toBe('b\n');
      expect(readdirSync(out).toSorted()).toEqual(['junit.xml', 'sub']);
    }
  });

  test('when=always writes one file of a build that succeeded, and the image goes into the store as well', async () => {
    const out = place();
    const built = good(await build(out, 'from=app/reports/junit.xml,when=always', 'true'));
    expect(readdirSync(out)).toEqual(['junit.xml']);
    expect(built.tree().readText('/app/reports/junit.xml')).toBe('<x/>\n');
  });

  test('when=failure writes nothing of a build that succeeded', async () => {
    const out = place();
    const built = good(await build(out, 'from=/app,when=failure', 'true'));
    expect(existsSync(out)).toBe(false);
    expect(built.id()).toMatch(/^sha256:/);
  });

  test('from= without when= writes a part of the image, and nothing when the build fails', async () => {
    const out = place();
    expect((await build(out, 'from=/app', 'exit 1')).exitCode).toBe(1);
    expect(existsSync(out)).toBe(false);
    good(await build(out, 'from=/app', 'true'));
    expect(readdirSync(out)).toEqual(['reports']);
  });
});

test('files of a stage that is not the last, at a link, come out', async () => {
  const out = join(scratchDirectory('files'), 'out');
  const files = {
    Dockerfile:
      'FROM busybox AS test\nRUN mkdir /data && ln -s /data /link && echo 1 > /data/core && false\nFROM busybox\nCOPY --from=test /data /\n',
  };
  const failed = await buildInline(files, { args: ['-o', `type=local,dest=${out},from=/link,when=failure`] });
  expect(failed.exitCode).toBe(1);
  expect(readdirSync(out)).toEqual(['core']);
});

test('a path that a failed step lacks is a warning, and one that an image lacks is an error', async () => {
  const out = join(scratchDirectory('files'), 'out');
  const missing = `type=local,dest=${out},from=/missing,when=always`;
  const failed = await buildInline({ Dockerfile: dockerfile('exit 3') }, { args: ['-o', missing] });
  expect(failed.exitCode).toBe(1);
  expect(failed.stderr).toContain(
    'Files of the failed step were not written: There is no "/missing" in the files of the step',
  );
  expect(failed.stderr).toMatch(/^ERROR: process .* exit code: 3$/m);
  expect(failed.stderr.match(/^#\d+ ERROR: /gm)).toHaveLength(1);
  const built = await buildInline({ Dockerfile: dockerfile('true') }, { args: ['-o', missing] });
  expect(built.stderr).toMatch(/^ERROR: There is no "\/missing" in the files of the step$/m);
});

test('an unknown when= is refused before anything is built', async () => {
  const context = writeFiles({ Dockerfile: 'FROM scratch\n' });
  const { exitCode, stderr } = await runTbuild(['-o', 'type=local,dest=out,when=never', context]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('when "never" is not one of success, failure, always');
});
