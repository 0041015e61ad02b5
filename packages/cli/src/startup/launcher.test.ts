import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { needs } from '../../../../test/support/requirements.ts';

// A package of the published layout, whose program shows what the launcher gave it.
const directory = mkdtempSync(join(tmpdir(), 'launcher-'));
const launcher = join(directory, 'package/bin/tbuild');
for (const name of ['package/bin', 'package/dist', 'home']) mkdirSync(join(directory, name), { recursive: true });
copyFileSync(fileURLToPath(new URL('../../bin/tbuild', import.meta.url)), launcher);
writeFileSync(
  join(directory, 'package/dist/tbuild.cjs'),
  `const { readlinkSync, rmSync } = require('fs');
  const { startupSnapshot } = require('v8');
  function run() {
    const { env, argv, execArgv, pid } = process;
    if (env.TBUILD_START_MARK) rmSync(env.TBUILD_START_MARK);
    if (argv[2] === 'wait') { process.on('SIGTERM', () => process.exit(42)); setInterval(() => {}, 1000); console.log('waiting'); }
    else { console.log(JSON.stringify({ pid, env, execArgv, args: argv.slice(2), mounts: readlinkSync('/proc/self/ns/mnt') })); process.exitCode = Number(argv[3] ?? 0); }
  }
  if (startupSnapshot.isBuildingSnapshot()) startupSnapshot.setDeserializeMainFunction(run);
  else run();`,
);
afterAll(() => rmSync(directory, { recursive: true }));

writeFileSync(join(directory, 'package/dist/build-id'), '0123\n');
const base = { PATH: process.env.PATH, HOME: join(directory, 'home'), TBUILD_NODE: process.execPath };

function launch(args: readonly string[], env: Record<string, string | undefined> = {}, program = launcher) {
  return spawnSync(program, args, { env: { ...base, ...env }, encoding: 'utf8' });
}

test('the launcher passes on arguments and the exit code', () => {
  const { status, stdout } = launch(['a b', '7', "it's", '']);
  expect(status).toBe(7);
  expect(JSON.parse(stdout).args).toEqual(['a b', '7', "it's", '']);
});

test('the launcher connects git to a server, and is itself for other programs that git starts', () => {
  const env = { TBUILD_GIT_CONNECTION: 'echo connected' };
  expect(launch(['host.example', '9418'], env).stdout).toBe('connected --connect host.example 9418\n');
  const { args, env: passed } = JSON.parse(launch(['build', '.'], env).stdout);
  expect({ args, passed: passed.TBUILD_GIT_CONNECTION }).toEqual({ args: ['build', '.'], passed: undefined });
});

test('the launcher finds its package through a symbolic link', () => {
  const link = join(directory, 'link');
  symlinkSync(launcher, link);
  expect(launch(['x', '3'], {}, link).status).toBe(3);
});

test('NODE_EXTRA_CA_CERTS is passed on under another name, so that Node does not parse it at start', () => {
  const { env } = JSON.parse(launch([], { NODE_EXTRA_CA_CERTS: '/some/file' }).stdout);
  expect(env.TBUILD_EXTRA_CA_CERTS).toBe('/some/file');
  expect(env.NODE_EXTRA_CA_CERTS).toBeUndefined();
});

test('the launcher passes on who started it, and ignores inherited values', () => {
  const { env, mounts } = JSON.parse(launch([], { TBUILD_UID: '77', TBUILD_ISOLATION_VERDICT: 'no' }).stdout);
  expect(env.TBUILD_UID).toBe(String(process.getuid?.()));
  const contained = env.TBUILD_ISOLATION_VERDICT === undefined;
  const here = spawnSync('readlink', ['/proc/self/ns/mnt'], { encoding: 'utf8' }).stdout.trim();
  expect(mounts !== here).toBe(contained);
});

test('the launcher tunes malloc for the program, unless the user does', () => {
  const ours = JSON.parse(launch([], { TBUILD_TUNES_MALLOC: '0' }).stdout).env;
  expect(ours).toMatchObject({ TBUILD_TUNES_MALLOC: '1', GLIBC_TUNABLES: expect.stringContaining('glibc.malloc') });
  const { env } = JSON.parse(launch([], { TBUILD_TUNES_MALLOC: '1', GLIBC_TUNABLES: 'glibc.malloc.check=0' }).stdout);
  expect(env.GLIBC_TUNABLES).toBe('glibc.malloc.check=0');
  expect(env).not.toHaveProperty('TBUILD_TUNES_MALLOC');
});

test('the help text needs no namespace', () => {
  const { env } = JSON.parse(launch(['--help']).stdout);
  expect(env.TBUILD_UID).toBeUndefined();
});

test("nothing is read from, or written to, another user's cache directory", needs('root'), () => {
  const cache = join(directory, 'of-another');
  mkdirSync(join(cache, 'tbuild'), { recursive: true });
  chownSync(join(cache, 'tbuild'), 65534, 65534);
  for (const _ of [1, 2]) {
    const { status, stdout } = launch(['x'], { XDG_CACHE_HOME: cache });
    expect(status).toBe(0);
    expect(JSON.parse(stdout).env).not.toHaveProperty('TBUILD_SNAPSHOT_NOTE');
  }
  expect(readdirSync(join(cache, 'tbuild'))).toEqual([]);
  // As an ordinary user, who has programs such as ssh outside of the user namespace also then.
  const user = ['--user', '--map-user=1000', '--map-group=1000', '--keep-caps'];
  const env = { ...base, XDG_CACHE_HOME: cache };
  const { stdout } = spawnSync('unshare', [...user, launcher, 'x'], { env, encoding: 'utf8' });
  expect(JSON.parse(stdout).env.TBUILD_OUTSIDE_FD).toBe('8');
  expect(readdirSync(join(cache, 'tbuild'))).toEqual([]);
});

test("root makes no cache directory in another user's home", needs('root'), () => {
  const home = join(directory, 'home-of-another');
  mkdirSync(home);
  chownSync(home, 65534, 65534);
  for (const env of [{ HOME: home }, { XDG_CACHE_HOME: join(home, 'a/b') }, { HOME: '', XDG_CACHE_HOME: 'relative' }]) {
    expect(launch(['x'], env).status).toBe(0);
    expect(readdirSync(home)).toEqual([]);
  }
});

test('signals reach the program itself', async () => {
  const child = spawn(launcher, ['wait'], { env: base, stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([42, null]);
});

test('a missing or too old Node is reported', () => {
  const old = join(directory, 'old-node');
  writeFileSync(old, '#!/bin/sh\necho v20.18.1\n');
  chmodSync(old, 0o755);
  expect(launch([], { TBUILD_NODE: old })).toMatchObject({
    status: 2,
    stderr: `tbuild: Node.js 20.19 or newer is needed, found v20.18.1 as "${old}". Install a newer one, or set TBUILD_NODE to its path\n`,
  });
  expect(launch([], { TBUILD_NODE: undefined, PATH: join(directory, 'home') }).stderr).toContain(
    'no "node" is on the PATH',
  );
});

test('a calling program supplies its Node where none is on the PATH', () => {
  const tools = join(directory, 'tools');
  mkdirSync(tools);
  symlinkSync(execFileSync('sh', ['-c', 'command -v unshare'], { encoding: 'utf8' }).trim(), join(tools, 'unshare'));
  const { stdout } = launch(['--api', process.execPath], { TBUILD_NODE: undefined, PATH: tools });
  expect(JSON.parse(stdout).args).toEqual(['--api', process.execPath]);
});

describe('a snapshot', () => {
  const home = join(directory, 'snapshot-home');
  const node = join(directory, 'node/bin/node');
  const env = { HOME: home, TBUILD_NODE: node };
  const start = (changed: Record<string, string> = {}) => JSON.parse(launch(['x'], { ...env, ...changed }).stdout);
  const fromSnapshot = ({ execArgv }: { execArgv: string[] }) => execArgv.includes('--snapshot-blob');
  let note: string;

  beforeAll(() => {
    mkdirSync(join(node, '..'), { recursive: true });
    symlinkSync(process.execPath, node);
  });

  test('is asked for from the second start on', () => {
    expect(start().env).not.toHaveProperty('TBUILD_SNAPSHOT_NOTE');
    const second = start();
    expect(fromSnapshot(second)).toBe(false);
    note = second.env.TBUILD_SNAPSHOT_NOTE;
    const snapshot = `${note}-1`;
    const main = join(directory, 'package/dist/tbuild.cjs');
    execFileSync(process.execPath, ['--stack-size=900', '--snapshot-blob', snapshot, '--build-snapshot', main]);
    const digest = digestOf(snapshot);
    writeFileSync(note, `${second.env.TBUILD_SNAPSHOT_FITS}\n${node}\n${snapshot}\n--stack-size=900\n${digest}\n\n`);
  });

  test('is started from, and behaves as the program', () => {
    const { execArgv, args, env: seen } = JSON.parse(launch(['a b', '0', ''], env).stdout);
    expect(execArgv).toEqual(['--stack-size=900', '--snapshot-blob', `${note}-1`]);
    expect(args).toEqual(['a b', '0', '']);
    expect(seen).not.toHaveProperty('TBUILD_SNAPSHOT_NOTE');
    expect(launch(['x', '9'], env).status).toBe(9);
  });

  test('is started from by another installation of the same bundle', () => {
    cpSync(join(directory, 'package'), join(directory, 'other-package'), { recursive: true });
    const other = JSON.parse(launch(['x'], env, join(directory, 'other-package/bin/tbuild')).stdout);
    expect([fromSnapshot(other), 'TBUILD_SNAPSHOT_NOTE' in other.env]).toEqual([true, false]);
    expect(fromSnapshot(start())).toBe(true);
  });

  test('stays that of its Node while another one runs the program', () => {
    const other = join(directory, 'node/of-another-version/node');
    mkdirSync(join(other, '..'));
    symlinkSync(process.execPath, other);
    const first = start({ TBUILD_NODE: other });
    expect([fromSnapshot(first), 'TBUILD_SNAPSHOT_NOTE' in first.env]).toEqual([false, false]);
    expect(start({ TBUILD_NODE: other }).env.TBUILD_SNAPSHOT_NOTE).not.toBe(note);
    expect(fromSnapshot(start())).toBe(true);
  });

  test('is not started from with options of Node, or another bundle', () => {
    expect(fromSnapshot(start({ NODE_OPTIONS: '--no-deprecation' }))).toBe(false);
    writeFileSync(join(directory, 'package/dist/build-id'), '4567\n');
    expect(fromSnapshot(start())).toBe(false);
    writeFileSync(join(directory, 'package/dist/build-id'), '0123\n');
    expect(fromSnapshot(start())).toBe(true);
  });

  test('is not started from once something beside Node is newer', () => {
    const { mtime } = statSync(join(node, '..'));
    writeFileSync(join(node, '../npm'), '');
    const later = new Date(Date.now() + 1000);
    utimesSync(join(node, '..'), later, later);
    expect(fromSnapshot(start())).toBe(false);
    utimesSync(join(node, '..'), mtime, mtime);
    expect(fromSnapshot(start())).toBe(true);
  });

  test('is not started from with a Node in the same place that refuses it, and a new one is requested', () => {
    const text = readFileSync(note, 'utf8');
    const { mtime } = statSync(join(node, '..'));
    const putNode = (target: string): void => {
      rmSync(node);
      symlinkSync(target, node);
      utimesSync(join(node, '..'), mtime, mtime);
    };
    const other = join(directory, 'other-node');
    const script = `#!/bin/sh\ncase $* in *--snapshot-blob*) exit 1 ;; esac\nexec ${process.execPath} "$@"\n`;
    writeFileSync(other, script, { mode: 0o755 });
    utimesSync(other, 0, 0);
    putNode(other);
    const started = start();
    expect([fromSnapshot(started), 'TBUILD_SNAPSHOT_NOTE' in started.env]).toEqual([false, true]);
    putNode(process.execPath);
    writeFileSync(note, text);
    expect(fromSnapshot(start())).toBe(true);
  });

  test('is not started from after another boot', () => {
    const text = readFileSync(note, 'utf8');
    writeFileSync(note, text.replace(/^\S+/, '00000000-0000-0000-0000-000000000000'));
    expect(fromSnapshot(start())).toBe(false);
    writeFileSync(note, text);
    expect(fromSnapshot(start())).toBe(true);
  });

  const digestOf = (file: string) => execFileSync('cksum', { input: readFileSync(file), encoding: 'utf8' }).trim();

  /** Overwrites the middle of the snapshot, whose size and mtime stay. Returns a function that repairs it. */
  function damage(): () => void {
    const snapshot = `${note}-1`;
    const [good, text] = [readFileSync(snapshot), readFileSync(note)];
    const { mtime } = statSync(snapshot);
    const write = (bytes: Uint8Array): void => {
      writeFileSync(snapshot, bytes);
      utimesSync(snapshot, mtime, mtime);
    };
    write(Buffer.from(good).fill(0x5a, 100_000, good.length - 100_000));
    return () => {
      write(good);
      writeFileSync(note, text);
    };
  }

  test('that was damaged without a sign is not started from, and a new one is requested', () => {
    const repair = damage();
    const started = start();
    expect([fromSnapshot(started), 'TBUILD_SNAPSHOT_NOTE' in started.env]).toEqual([false, true]);
    repair();
    expect(fromSnapshot(start())).toBe(true);
  });

  test('that was cut short is not started from', () => {
    const repair = damage();
    truncateSync(`${note}-1`, 100_000);
    expect(fromSnapshot(start())).toBe(false);
    repair();
    expect(fromSnapshot(start())).toBe(true);
  });

  test('is read again only when something wrote to it', () => {
    const bin = mkdtempSync(join(directory, 'bin-'));
    const reads = join(bin, 'reads');
    writeFileSync(join(bin, 'cksum'), `#!/bin/sh\necho >> ${reads}\nexec /usr/bin/cksum\n`, { mode: 0o755 });
    const PATH = `${bin}:${base.PATH}`;
    expect(fromSnapshot(start({ PATH }))).toBe(true);
    expect(existsSync(reads)).toBe(false);
    chmodSync(`${note}-1`, 0o400);
    for (let count = 0; count < 2; count++) expect(fromSnapshot(start({ PATH }))).toBe(true);
    expect(readFileSync(reads, 'utf8')).toBe('\n');
  });

  /** Damages the snapshot and writes its present digest into the note, so that only a start can tell. */
  function damageWithDigest(): () => void {
    const digest = digestOf(`${note}-1`);
    const repair = damage();
    writeFileSync(note, readFileSync(note, 'utf8').replace(digest, digestOf(`${note}-1`)));
    return repair;
  }

  test('that ends Node in a trial is not started from in the same call, and a new one is requested', () => {
    const repair = damageWithDigest();
    const { stdout, stderr } = launch(['x'], env);
    const started = JSON.parse(stdout);
    expect([fromSnapshot(started), 'TBUILD_SNAPSHOT_NOTE' in started.env, stderr]).toEqual([false, true, '']);
    repair();
    expect(fromSnapshot(start())).toBe(true);
  });

  test('that a start died of after a good trial is not started from again, and a new one is requested', () => {
    const repair = damageWithDigest();
    const seen = execFileSync('stat', ['-L', '-c', '%s %i %z', `${note}-1`, node], {
      env: { ...base, TZ: 'UTC0' },
      encoding: 'utf8',
    });
    writeFileSync(note, readFileSync(note, 'utf8').split('\n').with(5, seen.trim().replace('\n', ' ')).join('\n'));
    expect(launch(['x'], env).status).not.toBe(0);
    const started = start();
    expect([fromSnapshot(started), 'TBUILD_SNAPSHOT_NOTE' in started.env]).toEqual([false, true]);
    repair();
    expect(fromSnapshot(start())).toBe(true);
    expect(readdirSync(join(note, '..')).filter((name) => name.includes('.start-'))).toEqual([]);
  });

  test('that does not work is neither started from nor asked for again, until Node is newer', () => {
    const text = readFileSync(note, 'utf8');
    writeFileSync(note, text.replace(`${note}-1`, ''));
    const asks = (): boolean => 'TBUILD_SNAPSHOT_NOTE' in start().env;
    expect([fromSnapshot(start()), asks()]).toEqual([false, false]);
    const { mtime } = statSync(join(node, '..'));
    const later = new Date(Date.now() + 1000);
    utimesSync(join(node, '..'), later, later);
    expect([fromSnapshot(start()), asks()]).toEqual([false, true]);
    utimesSync(join(node, '..'), mtime, mtime);
    writeFileSync(note, text);
    expect(fromSnapshot(start())).toBe(true);
  });

  test('of somebody else is not started from', needs('root'), () => {
    chownSync(`${note}-1`, 1234, 1234);
    expect(fromSnapshot(start())).toBe(false);
    chownSync(`${note}-1`, 0, 0);
    expect(fromSnapshot(start())).toBe(true);
  });
});

describe('the launcher names the obstacle to namespaces', () => {
  /** A PATH on which these programs come first. */
  function pathWith(programs: Record<string, string>) {
    const bin = mkdtempSync(join(directory, 'bin-'));
    for (const [name, script] of Object.entries(programs))
      writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return `${bin}:${base.PATH}`;
  }
  function verdictWith(programs: Record<string, string>, env: Record<string, string> = {}) {
    const home = mkdtempSync(join(directory, 'home-'));
    const { stdout } = launch(['x'], { PATH: pathWith(programs), HOME: home, ...env });
    return JSON.parse(stdout).env.TBUILD_ISOLATION_VERDICT;
  }
  const refused = 'echo "unshare: unshare failed: Operation not permitted" >&2; exit 1';
  const unshare = (script: string) =>
    `case $1 in --version) echo "unshare from util-linux 2.41";; *) ${script} ;; esac`;

  test.each(['unshare', 'setpriv', 'mount'])('%s of BusyBox', (name) => {
    expect(verdictWith({ [name]: 'echo "BusyBox v1.37.0 multi-call binary." >&2; exit 1' })).toBe(
      `The program "${name}" of util-linux 2.38 or newer is missing: install util-linux (what BusyBox has is not enough)`,
    );
  });

  const ordinary = ['--user', '--map-user=1000', '--map-group=1000', '--keep-caps'];
  /** In a user namespace, where `before` can set the number of further ones. */
  function verdictOfUser(before: string, home = mkdtempSync(join(directory, 'home-'))) {
    const script = `${before}\nexec "$0" x`;
    const { stdout } = spawnSync('unshare', [...ordinary, 'sh', '-c', script, launcher], {
      env: { ...base, HOME: home },
      encoding: 'utf8',
    });
    return JSON.parse(stdout).env.TBUILD_ISOLATION_VERDICT;
  }
  const needsUserNamespaces = needs({
    met: spawnSync('unshare', [...ordinary, 'unshare', '--user', 'true']).status === 0,
    lacks: 'user namespaces',
  });

  test('user namespaces that are switched off, also after a build that had them', needsUserNamespaces, () => {
    const home = mkdtempSync(join(directory, 'home-'));
    expect(verdictOfUser('', home)).toBeUndefined();
    expect(verdictOfUser('echo 0 > /proc/sys/user/max_user_namespaces', home)).toBe(
      'User namespaces are switched off: run "sysctl -w user.max_user_namespaces=15000" as root',
    );
  });

  // As where AppArmor lets ordinary users have user namespaces, and no rights in them.
  test('user namespaces in which nothing can be mounted', needsUserNamespaces, () => {
    expect(verdictOfUser('echo 0 > /proc/sys/user/max_mnt_namespaces')).toBe(
      'User namespaces are not allowed here (unshare: unshare failed: No space left on device)',
    );
  });

  test('a security module', needsUserNamespaces, () => {
    const denied = unshare('echo "unshare: unshare failed: Permission denied" >&2; exit 1');
    expect(verdictOfUser(`PATH=${pathWith({ unshare: denied })}`)).toBe(
      'AppArmor or SELinux refuses user namespaces (unshare: unshare failed: Permission denied): dmesg names the profile that has to allow them',
    );
  });

  test.each([
    ['an engine', {}, /^run the container with --security-opt seccomp=unconfined --security-opt apparmor=unconfined/],
    [
      "GitLab's Docker executor",
      { GITLAB_CI: 'true' },
      /^set security_opt = \["seccomp:unconfined", "apparmor:unconfined"\] in \[runners.docker\] of the runner's config.toml$/,
    ],
    [
      'Kubernetes',
      { KUBERNETES_SERVICE_HOST: '10.0.0.1' },
      /^set seccompProfile and appArmorProfile to \{type: Unconfined\} in the securityContext of the container$/,
    ],
    [
      "GitLab's Kubernetes executor",
      { KUBERNETES_SERVICE_HOST: '10.0.0.1', GITLAB_CI: 'true' },
      /^set seccompProfile and .* securityContext of the build container, with \[\[runners.kubernetes.pod_spec\]\] in the runner's config.toml$/,
    ],
  ])('a container that refuses its root everything, started by %s', needs('root'), (_, env, fix) => {
    const reason = 'Mounting is not allowed here (unshare: unshare failed: Operation not permitted): ';
    const verdict = verdictWith({ unshare: unshare(refused) }, env);
    expect(verdict.slice(0, reason.length)).toBe(reason);
    expect(verdict.slice(reason.length)).toMatch(fix);
  });
});
