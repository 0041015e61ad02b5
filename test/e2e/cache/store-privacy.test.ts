import { chmodSync, lstatSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builders } from '../../support/builders.ts';
import { isolations } from '../../support/isolations.ts';
import { needs } from '../../support/requirements.ts';
import { runProcess } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildGood, good, runTbuild, userDirectory } from '../../support/tbuild.ts';
import { ordinaryUser } from '../../support/user.ts';

const modeOf = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

/** A step of another user that makes files, prints its working directory and reads its inputs. */
const files = {
  Dockerfile: `FROM busybox
COPY --chown=33:33 input dir/ /srv/
WORKDIR /made
RUN mkdir open && chmod 777 open && touch rooted
USER 33
RUN --mount=type=cache,target=/cache,uid=33 --mount=type=secret,id=token,uid=33 \\
  cd open && pwd > place && cat /srv/input /run/secrets/token > all && mkdir below && touch /cache/x
`,
  input: 'input\n',
  'dir/inner': 'inner\n',
};

/** Modes that a step and a copy could get wrong under another umask. */
const paths = ['/srv/input', '/srv/inner', '/srv', '/made', '/made/rooted', '/made/open/place', '/made/open/below'];

describe.each(builders)('the store of $who', ({ asUser }) => {
  const newStore = () =>
    asUser ? join(userDirectory('private'), 'a/store') : join(scratchDirectory('private'), 'a/store');

  test.each(['000', '022', '077'])(
    'with umask %s is closed to others, and no file in it is writable by others',
    async (umask) => {
      const store = newStore();
      const options = { asUser, store, umask, env: { TOKEN: 'token\n' } };
      await buildGood(files, { ...options, args: ['--secret', 'id=token,env=TOKEN'] });
      expect(modeOf(store)).toBe('700');
      expect(openToWriters(store)).toEqual([]);
      expect(openToWriters(join(store, '..'))).toEqual([]);
    },
  );

  test.each(isolations.filter((isolation) => !asUser || isolation !== 'chroot'))(
    'gives the same images under any umask (%s)',
    async (isolation) => {
      const args = ['--isolation', isolation, '--secret', 'id=token,env=TOKEN'];
      const trees = [];
      for (const umask of ['022', '000', '077']) {
        const build = await buildGood(files, { asUser, store: newStore(), umask, args, env: { TOKEN: 'token\n' } });
        const tree = build.tree();
        expect(paths.filter((path) => !tree.entries.has(path))).toEqual([]);
        trees.push(paths.map((path) => tree.entries.get(path)));
        expect(tree.readText('/made/open/place')).toBe('/made/open\n');
      }
      expect(trees[1]).toEqual(trees[0]);
      expect(trees[2]).toEqual(trees[0]);
    },
  );

  test('is closed when an earlier build left it open', async () => {
    const store = newStore();
    await buildGood({ Dockerfile: 'FROM busybox\n' }, { asUser, store });
    chmodSync(store, 0o777);
    good(await runTbuild(['images'], { asUser, store }));
    expect(modeOf(store)).toBe('700');
  });

  test('is shared with TBUILD_STORE_MODE, and doctor reports it', async () => {
    const options = { asUser, store: newStore(), env: { TBUILD_STORE_MODE: '0750' } };
    await buildGood({ Dockerfile: 'FROM busybox\n' }, options);
    expect(modeOf(options.store)).toBe('750');
    const { stdout } = await runTbuild(['doctor'], options);
    expect(stdout).toMatch(/^limited +store .*open to other users \(mode 0750\).*\n +→ Unset TBUILD_STORE_MODE/m);
    expect((await runTbuild(['doctor'], { ...options, env: {} })).stdout).toMatch(
      /^good +store .*closed to other users/m,
    );
    expect(modeOf(options.store)).toBe('700');
  });

  test.each(['0777', '0600', '755x', '0720'])('rejects the mode %s', async (mode) => {
    const build = await runTbuild(['images'], { asUser, store: newStore(), env: { TBUILD_STORE_MODE: mode } });
    expect(build).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(`Invalid TBUILD_STORE_MODE "${mode}"`),
    });
  });

  test('is never a directory that holds other files', async () => {
    const store = asUser ? userDirectory('other') : scratchDirectory('other');
    mkdirSync(join(store, 'snapshots'));
    writeFileSync(join(store, 'notes.txt'), 'mine\n');
    const { exitCode, stderr } = await runTbuild(['images'], { asUser, store });
    expect(exitCode).toBe(2);
    expect(stderr).toBe(
      `ERROR: Directory "${store}" cannot be the store: it holds other files\nhint: Name a directory of its own, such as "${store}/tbuild"\n`,
    );
    expect(modeOf(store)).toBe('755');
    expect(readdirSync(store).sort()).toEqual(['notes.txt', 'snapshots']);
  });
});

test('an ordinary user cannot use a setuid program of a tree in the store of root', needs('root', 'user'), async () => {
  const store = scratchDirectory('private');
  await buildGood({ Dockerfile: 'FROM busybox\nRUN cp /bin/busybox /su && chmod 4755 /su\n' }, { store });
  const found = await runProcess('find', [store, '-name', 'su', '-perm', '-4000', '-path', '*/fs/su']);
  expect(found.stdout.trim()).toMatch(/\/fs\/su$/);
  const { name } = ordinaryUser();
  // Through a shell: setpriv itself still has root's capabilities when it executes a program.
  const command = ['sh', '-c', 'exec "$1" id', 'sh', found.stdout.trim()];
  const asUser = ['--reuid', name, '--regid', name, '--init-groups', ...command];
  const { exitCode, stderr } = await runProcess('setpriv', asUser);
  expect(exitCode).not.toBe(0);
  expect(stderr).toContain('Permission denied');
});

/**
 * Returns the world-writable files and directories of the store, except those in the trees of images. The store is still
 * being synced after a build, so a file may be gone once it is listed.
 */
function openToWriters(root: string, path = ''): string[] {
  return readdirSync(join(root, path)).flatMap((name) => {
    const child = join(path, name);
    const stats = lstatSync(join(root, child), { throwIfNoEntry: false });
    if (stats === undefined || stats.isSymbolicLink() || /(^|\/)snapshots\/[^/]+\/fs$/.test(child)) return [];
    const open = (stats.mode & 0o002) === 0 ? [] : [`${child} ${stats.mode.toString(8)}`];
    return stats.isDirectory() ? [...open, ...openToWriters(root, child)] : open;
  });
}
