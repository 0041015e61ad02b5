import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { baseImageArguments } from '../../support/base-images.ts';
import { builders } from '../../support/builders.ts';
import { docker } from '../../support/docker.ts';
import { imagesOf } from '../../support/layout.ts';
import { patiently } from '../../support/patience.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { good, runTbuild, userDirectory, writeFiles, type TbuildOptions } from '../../support/tbuild.ts';
import { problemsOf } from '../../support/validate-image.ts';

const contextWith = (text: string) =>
  writeFiles({ Dockerfile: 'FROM busybox\nCOPY text /text\nCMD ["cat", "/text"]\n', text });

const run = async (options: TbuildOptions, ...args: string[]) => good(await runTbuild(args, options)).stdout;

/** Builds an image without a name and returns the printed ID. */
const buildUnnamed = async (options: TbuildOptions, text: string, ...args: string[]) => {
  const id = (await run(options, '-q', ...baseImageArguments(), ...args, contextWith(text))).trim();
  expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
  return id;
};

const ids = async (options: TbuildOptions, ...args: string[]) =>
  (await run(options, 'images', '-q', '--no-trunc', ...args)).split('\n').filter((line) => line !== '');

describe.each(builders)('an image that $who built without a name', ({ asUser }) => {
  const newPlace = () => (asUser ? userDirectory('store') : scratchDirectory('store'));
  const newStore = (): TbuildOptions => ({ store: newPlace(), asUser });

  test('is listed as <none> and found by its full or short ID', async () => {
    const options = newStore();
    const id = await buildUnnamed(options, 'listed\n');
    expect(await run(options, 'images')).toMatch(new RegExp(`\\n<none> +<none> +${id.slice(7, 19)} `));
    expect(await ids(options, '--filter', 'dangling=true')).toEqual([id]);
    expect(await ids(options, '--filter', 'dangling=false')).toEqual([]);
    for (const name of [id, id.slice(7), id.slice(7, 19), id.slice(7, 11)]) {
      const [image] = JSON.parse(await run(options, 'inspect', name));
      expect(image).toMatchObject({ Id: id, RepoTags: [], RepoDigests: [], Config: { Cmd: ['cat', '/text'] } });
    }
    expect(await run(options, 'history', '--format', '{{.CreatedBy}}', id)).toMatch(/^CMD \["cat" "\/text"\]\n/);
    expect(await run(options, 'diff', id.slice(7, 19))).toBe('A /text  +7B\n');
  });

  test('gets a name by its ID and is then no longer unnamed', async () => {
    const options = newStore();
    const id = await buildUnnamed(options, 'tagged\n');
    await run(options, 'tag', id.slice(7, 19), 'named:1');
    expect(await run(options, 'images', '--format', '{{.Repository}}:{{.Tag}} {{.ID}}')).toBe(
      `named:1 ${id.slice(7, 19)}\n`,
    );
    // The same image built without a name again still has its name.
    expect(await buildUnnamed(options, 'tagged\n')).toBe(id);
    expect(await ids(options, '--filter', 'dangling=true')).toEqual([]);
  });

  test('is saved and loaded without a name', async () => {
    const [options, other, place] = [newStore(), newStore(), newPlace()];
    const id = await buildUnnamed(options, 'saved\n');
    await run(options, 'save', '-o', join(place, 'image.tar'), id.slice(7, 19));
    expect(await run(other, 'load', '-i', join(place, 'image.tar'))).toMatch(/^Loaded image ID: sha256:/);
    expect(await ids(other)).toEqual([id]);
    expect(imagesOf(other.store ?? '').flatMap(problemsOf)).toEqual([]);
  });

  test('is removed by its ID', async () => {
    const options = newStore();
    const [first, second] = [await buildUnnamed(options, 'first\n'), await buildUnnamed(options, 'second\n')];
    expect(await run(options, 'rmi', first.slice(7, 19))).toBe(`Deleted: ${first}\n`);
    expect(await ids(options)).toEqual([second]);
    expect(await runTbuild(['rmi', first], options)).toMatchObject({ exitCode: 1 });
  });

  test('is removed with others as if one command after the other removed them', async () => {
    const options = newStore();
    const named = await buildUnnamed(options, 'named\n', '--tag', 'named:1', '--tag', 'named:2');
    const unnamed = await buildUnnamed(options, 'unnamed\n');
    const words = ['named:1', named, unnamed, unnamed, 'named:1'];
    expect(await runTbuild(['rmi', ...words], options)).toMatchObject({
      exitCode: 1,
      stdout: `Untagged: named:1\nUntagged: named:2\nDeleted: ${unnamed}\n`,
      stderr: expect.stringContaining(`Image "${unnamed}" is not in the store; Image "named:1" is not in the store`),
    });
    expect(await ids(options)).toEqual([]);
  });

  test('stays until prune, which leaves named images alone', async () => {
    const options = newStore();
    const named = await buildUnnamed(options, 'named\n', '--tag', 'named:1');
    const unnamed = await buildUnnamed(options, 'unnamed\n');
    await run(options, 'prune', '--force', '--filter', 'until=1h');
    expect((await ids(options)).toSorted()).toEqual([named, unnamed].toSorted());
    await run(options, 'prune', '--force');
    expect(await ids(options)).toEqual([named]);
    expect(imagesOf(options.store ?? '').flatMap(problemsOf)).toEqual([]);
  });
});

test('a cap on the cache removes unnamed images, but never the one that was just built', async () => {
  const store = scratchDirectory('store');
  const capped = { store, env: { TBUILD_MAX_USED_SPACE: '1kB' } };
  await buildUnnamed(capped, 'first\n');
  const second = await buildUnnamed(capped, 'second\n');
  // A process that no build waits for does it.
  await vi.waitFor(async () => expect(await ids(capped)).toEqual([second]), patiently);
  expect(imagesOf(store).flatMap(problemsOf)).toEqual([]);
});

test('an index of several platforms without a name is found by the ID that is printed', async () => {
  const options = { store: scratchDirectory('store') };
  const context = writeFiles({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
  const id = (await run(options, '-q', '--platform', 'linux/amd64,linux/arm64', context)).trim();
  expect(await run(options, 'inspect', '-f', '{{.Descriptor.digest}}', id)).toBe(`${id}\n`);
  await run(options, 'tag', id, 'several:1');
  expect(await run(options, 'images', '--format', '{{.Repository}} {{.Digest}}')).toBe(`several ${id}\n`);
});

test('an unnamed image is listed as Docker lists it, and runs there under its ID', needs('docker'), async () => {
  const host = await sharedService('docker');
  const options = { store: scratchDirectory('store') };
  const id = await buildUnnamed(options, 'in Docker\n');
  await run(options, 'save', '-o', join(options.store, 'image.tar'), id);
  await docker(host, ['load', '-i', join(options.store, 'image.tar')]);
  for (const args of [
    ['images', '--filter', 'dangling=true', '--format', '{{.Repository}} {{.Tag}} {{.ID}}'],
    ['image', 'inspect', '-f', '{{.Id}} {{.RepoTags}}', id],
  ])
    expect((await docker(host, args)).split('\n')).toContain((await run(options, ...args)).trim());
  expect(await docker(host, ['run', '--rm', '--net=none', id.slice(7, 19)])).toBe('in Docker\n');
  await docker(host, ['rmi', id]);
});
