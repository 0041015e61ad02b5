import { describe, expect, test } from 'vitest';
import { startRegistry } from '../../support/registry.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildGood, buildInline, runTbuild } from '../../support/tbuild.ts';
import { startWebServer } from '../../support/web-server.ts';
import { tarOf } from '../../support/write-tar.ts';

/** A megabyte in three files of three directories. */
const bomb = tarOf(['a', 'b', 'c'].map((name) => ({ name: `${name}/f`, data: '0'.repeat(350_000) }))).toString();
const files = { Dockerfile: 'FROM scratch\nADD bomb /\n', bomb };

describe('an archive that unpacks to more than a limit allows fails the build', () => {
  test.each([
    [
      'size=500kb',
      'the archive has more than 500000 bytes',
      'size=SIZE, or TBUILD_UNPACK_LIMITS, if you trust its source',
    ],
    ['entries=2', 'the archive has more than 2 entries', 'entries=N, .*'],
    ['memory=1kb', 'the archive needs more than 1000 bytes of memory for its names', 'memory=SIZE, .*'],
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
    expect(build.tree().entries.get('/c/f')).toMatchObject({ size: 350_000 });
  });
});

test.each(['size=500kb', 'entries=2', 'memory=1kb'])(
  'an image archive is loaded within TBUILD_UNPACK_LIMITS=%s',
  async (limit) => {
    const store = scratchDirectory('store');
    const load = await runTbuild(['load'], { store, input: Buffer.from(bomb), env: { TBUILD_UNPACK_LIMITS: limit } });
    expect(load.exitCode).toBe(1);
    expect(load.stderr).toMatch(/ERROR: The archive .* more than \d+ .*\nhint: .*TBUILD_UNPACK_LIMITS/);
    expect(await runTbuild(['load'], { store, input: Buffer.from(bomb) })).toMatchObject({
      stderr: expect.stringContaining('The archive is not an image'),
    });
  },
);

test('a pull keeps some of the disk free', needs('registry'), async () => {
  await using registry = await startRegistry();
  const name = `${registry.host}/app:1`;
  await buildGood(files, { args: ['--push', '--tag', name] });
  const store = scratchDirectory('store');
  const pull = await runTbuild(['pull', name], { store, env: { TBUILD_UNPACK_LIMITS: 'free=1000000tb' } });
  expect(pull.exitCode).toBe(1);
  expect(pull.stderr).toMatch(/ERROR: No space left: the disk of .*\nhint: .*TBUILD_UNPACK_LIMITS/);
  expect(await runTbuild(['images', '--quiet'], { store })).toMatchObject({ exitCode: 0, stdout: '' });
  expect(await runTbuild(['pull', name], { store })).toMatchObject({ exitCode: 0 });
});

test('a file that ADD downloads is limited like an archive', async () => {
  await using web = await startWebServer(new Map([['/file', { body: 'x'.repeat(10_000) }]]));
  const Dockerfile = `FROM scratch\nADD ${web.url}/file /\n`;
  const { exitCode, stderr } = await buildInline({ Dockerfile }, { args: ['--unpack-limits', 'size=9kb'] });
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(
    /ERROR: .*The file "http.*\/file" has more than 9000 bytes\nhint: .*--unpack-limits size=SIZE/,
  );
  expect((await buildGood({ Dockerfile })).tree().entries.get('/file')).toMatchObject({ size: 10_000 });
});
