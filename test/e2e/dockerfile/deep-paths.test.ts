import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildContext, good, writeFiles } from '../../support/tbuild.ts';
import { tarOf } from '../../support/write-tar.ts';

const pathOf = (depth: number): string => Array.from({ length: depth }, () => 'd').join('/');

const deep = pathOf(1000);

test('a file below 1,000 directories is copied from the context, over itself and from another stage', async () => {
  const Dockerfile = 'FROM scratch AS a\nCOPY c /x/\nCOPY c /x/\nFROM scratch\nCOPY --from=a /x /y/\nADD c.tar /y/\n';
  const context = writeFiles({ Dockerfile, [`c/${deep}/f`]: 'deep' });
  execFileSync('tar', ['cf', 'c.tar', '-C', 'c', 'd'], { cwd: context });
  const build = good(await buildContext(context));
  expect(build.tree().readText(`/y/${deep}/f`)).toBe('deep');
});

test('an archive with a path that is longer than Linux allows is refused', async () => {
  const context = writeFiles({ Dockerfile: 'FROM scratch\nADD deep.tar /\n' });
  const members = [{ name: 'f', pax: { path: `${pathOf(3000)}/f` } }];
  writeFileSync(join(context, 'deep.tar'), tarOf(members));
  const build = await buildContext(context);
  expect(build.exitCode).toBe(1);
  expect(build.stderr).toMatch(
    /ERROR: Could not unpack ".*deep\.tar": could not unpack ".*": the name is too long\nhint: Shorten the path: Linux allows 4,095 bytes/,
  );
});
