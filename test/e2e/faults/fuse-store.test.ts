import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildContext, buildInline, good, runTbuild, writeFiles } from '../../support/tbuild.ts';

/** Replaces a directory of the base, which hides everything that the base has in it. */
const REPLACES = 'mv /var/spool /var/old && mkdir /var/spool';

/** Deletes a file of the base, makes a hard link and reopens the output. */
const dockerfile = (...more: readonly string[]) =>
  `FROM busybox\nRUN rm /etc/shadow\nRUN echo x > /a && ln /a /b && echo reopened > /dev/stdout\n${more.map((command) => `RUN ${command}\n`).join('')}`;

/** A program and options for what it mounts. */
type Command = readonly [program: string, ...options: string[]];

/** Mounts a file system in user space, which the kernel does not take for the upper directory of an overlay. */
async function mountFuse([program, ...options]: Command): Promise<AsyncDisposable & { readonly store: string }> {
  const cwd = scratchDirectory('fuse');
  for (const name of ['lower', 'upper', 'work', 'merged']) mkdirSync(join(cwd, name));
  await runChecked(program, [...options, 'merged'], { cwd });
  return {
    store: join(cwd, 'merged/store'),
    async [Symbol.asyncDispose]() {
      await runChecked('umount', ['--lazy', join(cwd, 'merged')]);
    },
  };
}

const BIND: Command = ['bindfs', '-o', 'attr_timeout=0,entry_timeout=0', 'upper'];
const OVERLAY: Command = ['fuse-overlayfs', '-o', 'lowerdir=lower,upperdir=upper,workdir=work'];

describe('a store on a file system in user space', needs('fuse', 'fuse-overlayfs'), () => {
  test.each([
    { mount: BIND, more: [REPLACES] },
    { mount: OVERLAY, more: [] },
  ])('gives the image of any other store: $mount.0', async ({ mount, more }) => {
    await using mounted = await mountFuse(mount);
    const context = writeFiles({ Dockerfile: dockerfile(...more) });
    const options = {
      args: ['--no-cache', '-o', 'type=image,rewrite-timestamp=true'],
      env: { SOURCE_DATE_EPOCH: '1700000000' },
    };
    const usual = good(await buildContext(context, options));
    const build = good(await buildContext(context, { ...options, store: mounted.store }));
    expect(build.stderr).toMatch(/^#\d+ [\d.]+ reopened$/m);
    expect(build.id()).toBe(usual.id());
    expect((await runTbuild(['fsck', '--full'], mounted)).stdout).toBe('The store is sound\n');
  });

  test('fails with one line where that lacks an attribute of overlays', async () => {
    await using mounted = await mountFuse(OVERLAY);
    const { exitCode, stderr } = await buildInline({ Dockerfile: dockerfile(REPLACES) }, mounted);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /^ERROR: The file system of ".*" lacks the attribute trusted\.overlay\.opaque\nhint: Choose a place for the store on ext4, XFS or Btrfs, with --root$/m,
    );
  });
});
