import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { baseImage } from '../../support/base-images.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { buildGood, userDirectory, writeFiles } from '../../support/tbuild.ts';
import { ordinaryUser } from '../../support/user.ts';

test("FROM finds an image in an ordinary user's own storage of Podman", needs('podman', 'user'), async () => {
  const runtime = userDirectory('runtime');
  const { name, home } = ordinaryUser();
  const env = {
    HOME: userDirectory('home'),
    XDG_CACHE_HOME: join(home, '.cache'),
    XDG_RUNTIME_DIR: runtime,
    TMPDIR: '/var/tmp',
    DOCKER_HOST: 'unix:///proc/none/docker.sock',
  };
  const buildah = (...args: string[]) =>
    runChecked('setpriv', ['--reuid', name, '--regid', name, '--init-groups', 'buildah', ...args], { env, cwd: '/' });
  await buildah('from', '--name', 'made', `oci:${baseImage('busybox')}:latest`);
  await buildah('copy', 'made', join(writeFiles({ mine: 'mine\n' }), 'mine'), '/mine');
  await buildah('commit', 'made', 'my-base');
  const options = { images: [], asUser: true, store: userDirectory('store'), env };
  try {
    const named = await buildGood({ Dockerfile: 'FROM my-base\nRUN cat /mine > /copy\n' }, options);
    expect(named.tree().readText('/copy')).toBe('mine\n');
    const args = ['--build-context', 'base=containers-storage://my-base'];
    const copied = await buildGood({ Dockerfile: 'FROM scratch\nCOPY --from=base /mine /\n' }, { ...options, args });
    expect(copied.tree().readText('/mine')).toBe('mine\n');
  } finally {
    // Podman leaves a process that keeps its user namespace.
    const pause = join(runtime, 'libpod/tmp/pause.pid');
    if (existsSync(pause)) process.kill(Number(readFileSync(pause, 'utf8')));
  }
});
