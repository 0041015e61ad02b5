import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { baseImage } from '../../support/base-images.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { buildGood, userDirectory, writeFiles } from '../../support/tbuild.ts';
import { ordinaryUser } from '../../support/user.ts';

/** The environment of an ordinary user with a storage of its own, and its programs. */
function userStorage() {
  const runtime = userDirectory('runtime');
  const { name, home } = ordinaryUser();
  const env = {
    HOME: userDirectory('home'),
    XDG_CACHE_HOME: join(home, '.cache'),
    XDG_RUNTIME_DIR: runtime,
    TMPDIR: '/var/tmp',
    DOCKER_HOST: 'unix:///proc/none/docker.sock',
  };
  return {
    env,
    run: (...words: string[]) =>
      runChecked('setpriv', ['--reuid', name, '--regid', name, '--init-groups', ...words], { env, cwd: '/' }),
    [Symbol.dispose]() {
      // Podman leaves a process that keeps its user namespace.
      const pause = join(runtime, 'libpod/tmp/pause.pid');
      if (existsSync(pause)) process.kill(Number(readFileSync(pause, 'utf8')));
    },
  };
}

test("FROM finds an image in an ordinary user's own storage of Podman", needs('podman', 'user'), async () => {
  using storage = userStorage();
  const { env, run } = storage;
  await run('buildah', 'from', '--name', 'made', `oci:${baseImage('busybox')}:latest`);
  await run('buildah', 'copy', 'made', join(writeFiles({ mine: 'mine\n' }), 'mine'), '/mine');
  await run('buildah', 'commit', 'made', 'my-base');
  const options = { images: [], asUser: true, store: userDirectory('store'), env };
  const named = await buildGood({ Dockerfile: 'FROM my-base\nRUN cat /mine > /copy\n' }, options);
  expect(named.tree().readText('/copy')).toBe('mine\n');
  const args = ['--build-context', 'base=containers-storage://my-base'];
  const copied = await buildGood({ Dockerfile: 'FROM scratch\nCOPY --from=base /mine /\n' }, { ...options, args });
  expect(copied.tree().readText('/mine')).toBe('mine\n');
});

test(
  "--load lets an ordinary user's Podman read the store, and leaves nothing there",
  needs('podman', 'user'),
  async () => {
    using storage = userStorage();
    const { DOCKER_HOST: _, ...env } = storage.env;
    const store = userDirectory('store');
    const args = ['--tag', 'mine:1', '--load'];
    const files = { Dockerfile: 'FROM busybox\nRUN echo made > /made\n' };
    const options = { args, asUser: true, store, env: { ...env, TBUILD_LOAD_INTO: 'podman' } };
    const { stderr } = await buildGood(files, options);
    expect(stderr).toContain('loading into Podman');
    expect(stderr).not.toContain('sending tarball');
    expect(await storage.run('podman', 'image', 'inspect', '--format', '{{len .RootFS.Layers}}', 'mine:1')).toBe('2\n');
    expect(readdirSync(join(store, 'run')).filter((name) => name.startsWith('podman-'))).toEqual([]);
  },
);
