import { describe, expect, test } from 'vitest';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildGood, buildInline } from '../../support/tbuild.ts';
import { tarOf } from '../../support/write-tar.ts';

/** A megabyte in three files. */
const bomb = tarOf(['a', 'b', 'c'].map((name) => ({ name, data: '0'.repeat(350_000) }))).toString();
const files = { Dockerfile: 'FROM scratch\nADD bomb /\n', bomb };

describe('an archive that unpacks to more than a limit allows fails the build', () => {
  test.each([
    ['size=500kb', 'the archive has more than 500000 bytes', 'size=SIZE if you trust the archive'],
    ['entries=2', 'the archive has more than 2 entries', 'entries=N if you trust the archive'],
    ['free=1000000tb', 'no space left: the disk of', 'free=SIZE'],
  ])('with --unpack-limits %s', async (limit, message, hint) => {
    const { exitCode, stderr } = await buildInline(files, { args: ['--unpack-limits', limit] });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      new RegExp(`ERROR: .*Could not unpack ".*bomb": ${message}.*\n(?:.*\n)*hint: .*--unpack-limits ${hint}`),
    );
  });

  test('and so does a layer of a base image', async () => {
    const { exitCode, stderr } = await buildInline(
      { Dockerfile: 'FROM busybox\nRUN true\n' },
      { args: ['--no-cache', '--unpack-limits', 'entries=3'], store: scratchDirectory('store') },
    );
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/ERROR: .*Could not extract layer sha256:\w+: the archive has more than 3 entries/);
  });

  test('but not by default', async () => {
    const build = await buildGood(files);
    expect(build.tree().entries.get('/c')).toMatchObject({ size: 350_000 });
  });
});
