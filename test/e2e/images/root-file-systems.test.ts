import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { startContainerd } from '../../support/containerd.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildGood } from '../../support/tbuild.ts';

const files = {
  Dockerfile: `FROM busybox
COPY --chown=33:34 message /srv/message
RUN ln /srv/message /hard && chmod 4755 /srv/message && ln -s srv/message /soft
CMD ["cat", "/soft"]
`,
  message: 'it runs\n',
};

/** Prints, inside the root, the user, a file through both kinds of link, and its attributes. */
const script = 'id -u; cat /soft /hard; stat -c "%a %u:%g %h" /srv/message';
const printed = '0\nit runs\nit runs\n4755 33:34 2\n';

describe('the archive of -o type=tar, unpacked (needs root)', needs('root'), () => {
  const root = join(scratchDirectory('rootfs'), 'root');
  beforeAll(async () => {
    mkdirSync(root);
    const build = await buildGood(files, { args: ['-o', `type=tar,dest=${root}.tar`] });
    expect(build.exitCode).toBe(0);
    await runChecked('tar', ['--numeric-owner', '-xpf', `${root}.tar`, '-C', root]);
  });

  test('boots a shell under chroot', async () => {
    expect(await runChecked('chroot', [root, '/bin/sh', '-c', script])).toBe(printed);
  });

  test('boots a shell under unshare', async () => {
    const namespaces = ['--mount', '--pid', '--ipc', '--uts', '--fork', '--mount-proc', `--root=${root}`];
    expect(await runChecked('unshare', [...namespaces, '/bin/sh', '-c', `${script}; echo $$`])).toBe(`${printed}1\n`);
  });

  test('boots a shell under systemd-nspawn (Debian: systemd-container)', needs('systemd-nspawn'), async () => {
    const options = ['--quiet', '--register=no', '--keep-unit', '--console=pipe', '--as-pid2', '--directory', root];
    expect(await runChecked('systemd-nspawn', [...options, '/bin/sh', '-c', script])).toBe(printed);
  });
});

describe('umoci and runc (need root)', needs('root', 'umoci', 'runc'), () => {
  test.each([
    ['a layout', (place: string) => ({ args: ['-t', 'app:1', '-o', `type=oci,tar=false,dest=${place}`], name: '1' })],
    ['the store', (place: string) => ({ args: ['-t', 'app:1'], store: place, name: 'app:1' })],
  ])('unpack and run an image of %s', async (_, options) => {
    const place = join(scratchDirectory('umoci'), 'images');
    const { name, ...build } = options(place);
    await buildGood(files, build);
    expect((await runChecked('umoci', ['ls', '--layout', place])).trim()).toBe(name);
    const bundle = `${place}.bundle`;
    await runChecked('umoci', ['unpack', '--image', `${place}:${name}`, bundle]);
    const file = join(bundle, 'config.json');
    const config = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...config, process: { ...config.process, terminal: false } }));
    const runc = (...args: readonly string[]) => runChecked('runc', ['--root', `${place}.runc`, ...args]);
    expect(await runc('run', '--bundle', bundle, 'checked')).toBe('it runs\n');
  });
});

test('containerd runs an image of a layout with runc (needs root)', needs('containerd'), async () => {
  await using containerd = await startContainerd();
  const place = scratchDirectory('containerd');
  await buildGood(files, { args: ['-t', 'app:1', '-o', `type=oci,dest=${place}/image.tar`] });
  await containerd.ctr(['images', 'import', `${place}/image.tar`]);
  const shared = ['--mount', `type=bind,src=${place},dst=/out,options=rbind:rw`];
  const run = ['run', '--rm', '--null-io', '--runtime', 'io.containerd.runc.v2', ...shared, 'docker.io/library/app:1'];
  await containerd.ctr([...run, 'checked', '/bin/sh', '-c', `(${script}) > /out/printed`]);
  expect(readFileSync(join(place, 'printed'), 'utf8')).toBe(printed);
});
