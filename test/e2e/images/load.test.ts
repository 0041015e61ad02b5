import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { digestOf } from '@tbuild/oci';
import { describe, expect, test } from 'vitest';
import { docker } from '../../support/docker.ts';
import { eventually } from '../../support/eventually.ts';
import { containersTools } from '../../support/peers.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { buildContext, buildGood, good, runTbuild, writeFiles } from '../../support/tbuild.ts';

const files = {
  Dockerfile: `FROM busybox
COPY --chown=33:33 message /message
RUN rm -r /var/spool && ln /message /hard
USER www-data
ENTRYPOINT ["sh", "-c"]
CMD ["cat /message /hard; id -un; ls /var"]
`,
  message: 'it runs\n',
};
const printed = 'it runs\nit runs\nwww-data\nwww\n';

describe('Docker', needs('docker'), () => {
  test('runs an image given to it with --load', async () => {
    const host = await sharedService('docker');
    const build = await buildGood(files, { args: ['--tag', 'loaded:1', '--load'], env: { DOCKER_HOST: host } });
    expect(await docker(host, ['run', '--rm', '--network', 'none', 'loaded:1'])).toBe(printed);
    expect((await docker(host, ['images', '--no-trunc', '-q', 'loaded:1'])).trim()).toBe(build.id());
  });

  test('receives an image larger than all buffers on the way byte for byte', async () => {
    const host = await sharedService('docker');
    const large = Array.from({ length: 1_500_000 }, (_, line) => `${line}\n`).join('');
    const context = { Dockerfile: 'FROM busybox\nCOPY large /\nCMD ["sha256sum", "/large"]\n', large };
    await buildGood(context, { args: ['--tag', 'large:1', '--load'], env: { DOCKER_HOST: host } });
    const sum = await docker(host, ['run', '--rm', '--network', 'none', 'large:1']);
    expect(`sha256:${sum.split(' ')[0]}`).toBe(digestOf(large));
    await docker(host, ['rmi', 'large:1']);
  });

  test('shows the history and size that tbuild shows', async () => {
    const host = await sharedService('docker');
    await buildGood(files, { args: ['--tag', 'history:1', '--load'], env: { DOCKER_HOST: host } });
    const rows = await docker(host, ['history', '--no-trunc', '--format', '{{.CreatedBy}}', 'history:1']);
    expect(rows.split('\n').slice(0, 5)).toEqual([
      'CMD ["cat /message /hard; id -un; ls /var"]',
      'ENTRYPOINT ["sh" "-c"]',
      'USER www-data',
      'RUN /bin/sh -c rm -r /var/spool && ln /message /hard # buildkit',
      'COPY --chown=33:33 message /message # buildkit',
    ]);
  });

  test('loads the Docker archive and runs the fixture project in it', async () => {
    const host = await sharedService('docker');
    const archive = join(scratchDirectory('archive'), 'hello.tar');
    const context = join(import.meta.dirname, '../../../fixtures/contexts/hello');
    good(await buildContext(context, { args: ['--tag', 'hello:e2e', '--output', `type=docker,dest=${archive}`] }));
    await docker(host, ['load', '--quiet', '--input', archive]);
    expect(await docker(host, ['run', '--rm', '--network', 'none', 'hello:e2e'])).toContain('from hello, for world');
  });

  test('its containerd imports the OCI archive', async () => {
    const host = await sharedService('docker');
    const archive = join(scratchDirectory('archive'), 'image.tar');
    await buildGood(files, { args: ['--tag', 'imported:1', '--output', `type=oci,dest=${archive}`] });
    const socket = join(dirname(host.slice('unix://'.length)), 'exec/containerd/containerd.sock');
    const ctr = (...args: string[]) => runChecked('ctr', ['--address', socket, '--namespace', 'tbuild-test', ...args]);
    await ctr('images', 'import', '--index-name', 'docker.io/library/imported:1', archive);
    expect(await ctr('images', 'check', '-q')).toContain('imported:1');
  });
});

describe('Podman', needs('podman'), () => {
  test('gets the image with --load where no Docker runs', async () => {
    const { podman, env } = containersTools();
    await buildGood(files, { args: ['--tag', 'for-podman:1', '--load'], env });
    expect(await podman(['run', '--rm', '--network', 'none', 'for-podman:1'])).toBe(printed);
  });

  test('takes with --load only the layers that it lacks, or the whole image where it cannot read the store', async () => {
    const { podman, env } = containersTools();
    // Notes what Podman is asked for, and takes away the layers that it could read.
    const wrapper = `#!/bin/sh
echo "$1" >> "$0.calls"
case $3 in dir:*) find "\${3#dir:}" -type l ! -name manifest.json -delete ;; esac
exec /usr/bin/podman "$@"
`;
    const programs = writeFiles({ podman: wrapper });
    const build = (dockerfile: string) =>
      buildGood(
        { ...files, Dockerfile: dockerfile },
        {
          args: ['--tag', 'less:1', '--tag', 'registry.example/less:2', '--load'],
          env: { ...env, PATH: `${programs}:/usr/sbin:/usr/bin:/sbin:/bin`, TBUILD_LOAD_INTO: 'podman' },
        },
      );
    await build(files.Dockerfile);
    await build(`${files.Dockerfile}HEALTHCHECK CMD true\n`);
    const calls = readFileSync(join(programs, 'podman.calls'), 'utf8').trim().split('\n');
    expect(calls).toEqual(['pull', 'load', 'pull', 'tag']);
    for (const name of ['localhost/less:1', 'registry.example/less:2']) {
      expect(await podman(['inspect', '--format', '{{.HealthCheck.Test}}', name])).toBe('[CMD-SHELL true]\n');
      expect(await podman(['run', '--rm', '--network', 'none', name])).toBe(printed);
    }
  });

  test('is ended by Ctrl-C while it loads, and leaves nothing', async () => {
    const programs = writeFiles({ podman: '#!/bin/sh\necho $$ > "$0.new" && mv "$0.new" "$0.pid"; exec sleep 600\n' });
    const env = { PATH: `${programs}:/usr/sbin:/usr/bin:/sbin:/bin`, TBUILD_LOAD_INTO: 'podman' };
    const store = scratchDirectory('store');
    const context = writeFiles({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
    const id = join(programs, 'podman.pid');
    const onStart = (child: ChildProcess): void =>
      void eventually(() => existsSync(id)).then(() => child.kill('SIGINT'));
    const build = await runTbuild(['build', '--tag', 'never:1', '--load', context], { store, env, onStart });
    expect(build.exitCode).toBe(130);
    expect(readdirSync(join(store, 'run')).filter((name) => name.startsWith('podman-'))).toEqual([]);
    const own = `/proc/${readFileSync(id, 'utf8').trim()}`;
    await eventually(() => !existsSync(own));
    expect(existsSync(own)).toBe(false);
  });

  test('pulls an image out of the store, and reads no layer that it has', async () => {
    const { podman } = containersTools();
    const store = scratchDirectory('store');
    const args = ['--tag', 'pulled:1'];
    const { layers } = (await buildGood(files, { store, args })).image().manifest;
    await podman(['pull', '--quiet', `oci:${store}:pulled:1`]);
    await buildGood({ ...files, Dockerfile: `${files.Dockerfile}\nLABEL changed=1\n` }, { store, args });
    for (const { digest } of layers) rmSync(join(store, 'blobs', digest.replace(':', '/')));
    await podman(['pull', '--quiet', `oci:${store}:pulled:1`]);
    const label = await podman(['inspect', '--format', '{{.Config.Labels.changed}}', 'pulled:1']);
    expect(label).toBe('1\n');
  });

  test.each(['docker', 'oci'])('loads the %s archive and runs it', async (type) => {
    const { podman } = containersTools();
    const archive = join(scratchDirectory('archive'), 'image.tar');
    await buildGood(files, { args: ['--tag', `loaded-${type}:1`, '--output', `type=${type},dest=${archive}`] });
    const loaded = /Loaded image:? (\S+)/.exec(await podman(['load', '--input', archive]))?.[1];
    expect(loaded).toContain(`loaded-${type}:1`);
    expect(await podman(['run', '--rm', '--network', 'none', loaded!])).toBe(printed);
  });
});
