import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { baseImage, baseImageArguments } from '../../support/base-images.ts';
import { registerArm64 } from '../../support/binfmt.ts';
import { debianRoot, type DebianRoot } from '../../support/debian-root.ts';
import { docker } from '../../support/docker.ts';
import { otherNodes } from '../../support/nodes.ts';
import { startRegistry } from '../../support/registry.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';

const repository = join(import.meta.dirname, '../../..');
const { version } = JSON.parse(readFileSync(join(repository, 'packages/cli/package.json'), 'utf8'));
const hello = join(repository, 'fixtures/contexts/hello');
const machine = ['root', 'dpkg-deb', 'qemu-aarch64-static'];
const given = process.env['TBUILD_TEST_RELEASE'];
const release = given ?? scratchDirectory('release');

beforeAll(async () => {
  if (given === undefined && needs(...machine).skip !== true) await make(release);
});

function make(directory: string, ...options: readonly string[]): Promise<string> {
  const script = join(repository, 'tools/release/release.mjs');
  return runChecked(process.execPath, [script, '--to', directory, '--only', 'npm,archive,deb', ...options]);
}

const archive = (architecture: string): string => `tbuild-${version}-linux-${architecture}.tar.gz`;
const debianPackage = (architecture: string): string => `tbuild_${version}_${architecture}.deb`;

function digestOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** A second run, for this architecture alone since qemu takes a minute more, and with the images. */
let second: Promise<string> | undefined;
function secondRelease(): Promise<string> {
  return (second ??= (async () => {
    const again = scratchDirectory('release');
    const base = `debian:13-slim=oci-layout://${baseImage('debian')}`;
    await make(again, '--arch', 'amd64', '--only', 'npm,archive,deb,image', '--build-context', base);
    return again;
  })());
}

test('a second run gives the same bytes', needs(...machine, 'mmdebstrap'), async () => {
  const again = await secondRelease();
  const names = readdirSync(again).filter((name) => /\.(?:tgz|gz|deb)(?:\.spdx\.json)?$/.test(name));
  expect(names).toContain(debianPackage('amd64'));
  for (const name of names) expect(digestOf(join(again, name)), name).toBe(digestOf(join(release, name)));
});

/** Emulated, the image for arm64 takes ten minutes to make: its tests take images that were made before. */
const givenImages = process.env['TBUILD_TEST_IMAGES'];
const imagesForArm64 = {
  met: givenImages !== undefined,
  lacks: 'the images of npm run release (TBUILD_TEST_IMAGES)',
};

/** Loads the image of a job for an architecture, and its variant with emulators. */
async function loadImages(host: string, directory: string, architecture: string): Promise<void> {
  for (const variant of ['', '-qemu']) {
    const archive = `oci-archive:${join(directory, `tbuild-${version}${variant}-image.tar`)}`;
    const name = `docker-daemon:tbuild-release-${architecture}:1${variant}`;
    const copy = ['copy', '--quiet', '--dest-daemon-host', host, archive, name];
    await runChecked('skopeo', ['--override-arch', architecture, ...copy]);
  }
}

/** Runs a script in an image of a job, in a container with the defaults of Docker. */
function runInImage(host: string, name: string, user: number, script: string): Promise<string> {
  const mounts = [`${baseImage('busybox')}:/base:ro`, `${hello}:/hello:ro`].map((one) => `--volume=${one}`);
  const options = ['--rm', '--network=host', '--volume=/builds', `--user=${user}`, ...mounts];
  return docker(host, ['run', ...options, name, 'sh', '-ec', script]);
}

const buildOfHello = 'tbuild -q --root /builds/store --build-context busybox=oci-layout:///base /hello';
const buildWithoutRun = `printf 'FROM scratch\\nCOPY greeting.txt /\\n' | tbuild -q -f - /hello`;

describe('the image of a job for arm64', needs(...machine, 'docker', 'skopeo', 'arm64', imagesForArm64), () => {
  test('builds under emulation, as root and as any user, and has emulators in its variant', async () => {
    using _registered = await registerArm64();
    const host = await sharedService('docker');
    await loadImages(host, givenImages ?? '', 'arm64');
    const image = 'tbuild-release-arm64:1';
    expect(await runInImage(host, image, 0, `uname -m; ${buildOfHello}`)).toMatch(/^aarch64\nsha256:[0-9a-f]{64}\n$/);
    expect(await runInImage(host, image, 12345, buildWithoutRun)).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    expect(await runInImage(host, `${image}-qemu`, 0, 'ls /usr/bin/qemu-x86_64*')).toContain('qemu-x86_64');
  });
});

describe('the image of a job', needs(...machine, 'mmdebstrap', 'docker', 'skopeo'), () => {
  let host: string;
  beforeAll(async () => {
    if (needs(...machine, 'mmdebstrap', 'docker', 'skopeo').skip === true) return;
    host = await sharedService('docker');
    await loadImages(host, givenImages ?? (await secondRelease()), 'amd64');
  });

  test('builds in a container with the defaults of Docker, and has what jobs use', async () => {
    const script = `git --version; ls /etc/ssl/certs/ca-certificates.crt; ${buildOfHello}`;
    const output = await runInImage(host, 'tbuild-release-amd64:1', 0, script);
    expect(output).toMatch(/^git version .*\n\/etc\/ssl\/certs\/ca-certificates.crt\nsha256:[0-9a-f]{64}\n$/);
  });

  test('builds what needs no RUN as any user', async () => {
    expect(await runInImage(host, 'tbuild-release-amd64:1', 12345, buildWithoutRun)).toMatch(/^sha256:[0-9a-f]{64}\n$/);
  });

  test('has emulators in its variant', async () => {
    expect(await runInImage(host, 'tbuild-release-amd64:1-qemu', 0, 'ls /usr/bin/qemu-aarch64*')).toContain(
      'qemu-aarch64',
    );
  });
});

test(
  'the checksums name every file, and each has an SBOM and is a subject of the provenance',
  needs(...machine),
  async () => {
    await runChecked('sha256sum', ['--quiet', '--check', '--strict', 'SHA256SUMS'], { cwd: release });
    const sums = readFileSync(join(release, 'SHA256SUMS'), 'utf8');
    const named = sums
      .trim()
      .split('\n')
      .map((line) => line.split('  ')[1]);
    expect(named.toSorted()).toEqual(
      readdirSync(release)
        .filter((name) => name !== 'SHA256SUMS')
        .toSorted(),
    );
    const files = named.filter((name = '') => !/\.json$|^CHANGELOG\.md$/.test(name));
    expect(files).toEqual(expect.arrayContaining([archive('amd64'), debianPackage('amd64')]));
    const { subject } = JSON.parse(readFileSync(join(release, `tbuild-${version}.intoto.json`), 'utf8'));
    expect(subject.map(({ name }: { name: string }) => name).toSorted()).toEqual(files.toSorted());
    for (const file of files) {
      const { packages } = JSON.parse(readFileSync(join(release, `${file}.spdx.json`), 'utf8'));
      expect(packages[0]).toMatchObject({ name: 'tbuild', versionInfo: version, packageFileName: file });
    }
  },
);

/** Builds the context `hello` in a root file system and runs what it says. */
async function buildHello(root: DebianRoot, program: string, uid?: number): Promise<string> {
  cpSync(hello, join(root.directory, 'hello'), { recursive: true });
  const script = `mkdir -p $HOME; ${program} --version; ${program} --build-context busybox=oci-layout:///base -o $HOME/out /hello 2>&1; cat $HOME/out/srv/banner.txt`;
  const prepare = uid === undefined ? '' : `mkdir -p -m 777 /tmp/home-${uid}`;
  await root.run(`${prepare}; ! command -v node`);
  const { exitCode, stdout, stderr } = await root.run(script, { uid });
  if (exitCode !== 0) expect.fail(`${stdout}\n${stderr}`);
  return stdout;
}

const built = new RegExp(`^tbuild ${version}\n[^]*\\| Hello from an image that tbuild made \\|`);

describe('in a Debian without Node', needs(...machine, 'mmdebstrap', 'registry'), () => {
  test('the .deb builds and pushes, as root and as an ordinary user, and leaves nothing when it is removed', async () => {
    const root = debianRoot();
    cpSync(join(release, debianPackage('amd64')), join(root.directory, 'tbuild.deb'));
    const { exitCode, stderr } = await root.run('dpkg -i /tbuild.deb');
    expect([exitCode, stderr]).toEqual([0, expect.any(String)]);
    expect(await buildHello(root, 'tbuild')).toMatch(built);
    expect(await buildHello(root, 'tbuild', 1000)).toMatch(built);
    await using registry = await startRegistry();
    const name = `${registry.host}/hello:1`;
    await root.run(`tbuild --build-context busybox=oci-layout:///base -t ${name} --push /hello`);
    expect((await root.run(`tbuild imagetools inspect ${name}`)).stdout).toContain(`Name:      ${name}`);
    const purged = await root.run('dpkg --purge tbuild && test ! -e /usr/lib/tbuild && test ! -e /usr/bin/tbuild');
    expect(purged.exitCode, purged.stderr).toBe(0);
  });

  test('the archive builds wherever it is unpacked', async () => {
    const root = debianRoot();
    await runChecked('tar', ['-xzf', join(release, archive('amd64')), '-C', join(root.directory, 'opt')]);
    const program = `/opt/tbuild-${version}-linux-amd64/bin/tbuild`;
    expect(await buildHello(root, program)).toMatch(built);
    expect(await buildHello(root, program, 1000)).toMatch(built);
  });

  test('the .deb for arm64 builds under emulation', needs('arm64'), async () => {
    using _registered = await registerArm64();
    const root = debianRoot('debian-arm64');
    const install = ['--root', root.directory, '--force-architecture', '-i', join(release, debianPackage('arm64'))];
    await runChecked('dpkg', install);
    expect(await buildHello(root, 'tbuild')).toMatch(built);
  });
});

test('the .deb has no complaint of lintian but those that it lists', needs(...machine, 'lintian'), async () => {
  const output = await runChecked(
    'lintian',
    ['--tag-display-limit', '0', '--fail-on', 'error,warning', debianPackage('amd64')],
    { cwd: release },
  );
  expect(output).toBe('');
});

test('manual pages and completions are in the .deb', needs(...machine), async () => {
  const list = await runChecked('dpkg-deb', ['--contents', join(release, debianPackage('amd64'))]);
  for (const path of [
    'usr/share/man/man1/tbuild.1.gz',
    'usr/share/man/man1/tbuild-imagetools-create.1.gz',
    'usr/share/bash-completion/completions/tbuild',
    'usr/share/zsh/vendor-completions/_tbuild',
    'usr/share/fish/vendor_completions.d/tbuild.fish',
  ])
    expect(list).toContain(`./${path}\n`);
});

test.each([{ name: 'this Node', path: process.execPath }, ...otherNodes])(
  'the npm packages install and build with $name',
  needs(...machine),
  async ({ path }) => {
    const prefix = scratchDirectory('npm');
    const files = readdirSync(release)
      .filter((name) => name.endsWith('.tgz'))
      .map((name) => join(release, name));
    for (const name of ['koffi', '@koromix'])
      cpSync(join(repository, 'node_modules', name), join(prefix, 'node_modules', name), { recursive: true });
    const quiet = [
      '--offline',
      '--no-audit',
      '--no-fund',
      '--no-update-notifier',
      '--cache',
      scratchDirectory('cache'),
    ];
    await runChecked('npm', ['install', ...quiet, '--prefix', prefix, ...files], { cwd: prefix });
    const program = join(prefix, 'node_modules/.bin/tbuild');
    const env = {
      TBUILD_NODE: path,
      TBUILD_ROOT: scratchDirectory('store'),
      XDG_CACHE_HOME: scratchDirectory('cache'),
    };
    expect(await runChecked(program, ['--version'], { env })).toBe(`tbuild ${version}\n`);
    const id = await runChecked(program, ['build', '--quiet', ...baseImageArguments(), hello], { env });
    expect(id).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    expect(statSync(join(prefix, 'node_modules/@tbuild/api/dist/index.js')).size).toBeGreaterThan(1000);
  },
);
