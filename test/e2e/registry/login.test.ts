import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pushBaseImage } from '../../support/base-images.ts';
import { startRegistry } from '../../support/registry.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { good, runTbuild, userDirectory } from '../../support/tbuild.ts';
import { ordinaryUser } from '../../support/user.ts';

const auth = { username: 'someone', password: 's3cret:with=signs' };

describe('login', needs('registry'), () => {
  test('stores a password that the registry accepts, and logout removes it', async () => {
    await using registry = await startRegistry({ auth });
    const home = scratchDirectory('home');
    const file = join(home, '.docker/config.json');
    const options = { env: { HOME: home }, input: `${auth.password}\n` };
    mkdirSync(join(home, '.docker'));
    writeFileSync(file, JSON.stringify({ auths: { 'quay.io': { auth: 'a2VwdDprZXB0' } }, HttpHeaders: { a: 'b' } }));

    expect(
      good(await runTbuild(['login', '-u', auth.username, '--password-stdin', registry.host], options)).stdout,
    ).toBe('Login Succeeded\n');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      auths: {
        'quay.io': { auth: 'a2VwdDprZXB0' },
        [registry.host]: { auth: Buffer.from(`${auth.username}:${auth.password}`).toString('base64') },
      },
      HttpHeaders: { a: 'b' },
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);

    const base = await pushBaseImage('busybox', registry.host, `${auth.username}:${auth.password}`);
    const store = scratchDirectory('store');
    good(await runTbuild(['pull', base], { ...options, store }));
    good(await runTbuild(['logout', registry.host], options));
    expect(Object.keys(JSON.parse(readFileSync(file, 'utf8')).auths)).toEqual(['quay.io']);
    expect((await runTbuild(['pull', base], { ...options, store })).exitCode).toBe(1);
    expect(good(await runTbuild(['logout', registry.host], options)).stdout).toContain('Not logged in');
  });

  test('writes to the file that a link names, and keeps its owner', needs('root'), async () => {
    await using registry = await startRegistry({ auth });
    const home = scratchDirectory('home');
    const [link, file] = [join(home, '.docker/config.json'), join(home, 'dotfile.json')];
    mkdirSync(join(home, '.docker'));
    writeFileSync(file, '{}', { mode: 0o644 });
    chownSync(file, 4321, 4322);
    symlinkSync(file, link);
    const args = ['login', '-u', auth.username, '-p', auth.password, registry.host];
    good(await runTbuild(args, { env: { HOME: home } }));
    expect(readlinkSync(link)).toBe(file);
    expect(statSync(file)).toMatchObject({ uid: 4321, gid: 4322, mode: 0o100600 });
    expect(readFileSync(file, 'utf8')).toContain(registry.host);
  });

  test("by an ordinary user makes root's file in the home the user's", needs('user'), async () => {
    await using registry = await startRegistry({ auth });
    const home = userDirectory('home');
    const { uid } = ordinaryUser();
    const file = join(home, '.docker/config.json');
    mkdirSync(join(home, '.docker'));
    chownSync(join(home, '.docker'), uid, -1);
    writeFileSync(file, '{}', { mode: 0o644 });
    const args = ['login', '-u', auth.username, '-p', auth.password, registry.host];
    for (let count = 0; count < 2; count++) good(await runTbuild(args, { env: { HOME: home }, asUser: true }));
    expect(statSync(file)).toMatchObject({ uid, mode: 0o100600 });
    expect(readdirSync(join(home, '.docker'))).toEqual(['config.json']);
  });

  test('refuses a wrong password, stores nothing and does not print it', async () => {
    await using registry = await startRegistry({ auth });
    const home = scratchDirectory('home');
    const { exitCode, stdout, stderr } = await runTbuild(
      ['login', '-u', auth.username, '-p', 'guessed-wrong', registry.host],
      { env: { HOME: home } },
    );
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`Registry ${registry.host} refuses this user and password (401 UNAUTHORIZED)`);
    expect(stdout + stderr).not.toContain('guessed-wrong');
    expect(existsSync(join(home, '.docker/config.json'))).toBe(false);
  });

  test('passes the password to the configured helper instead', async () => {
    await using registry = await startRegistry({ auth });
    const home = scratchDirectory('home');
    const bin = scratchDirectory('bin');
    mkdirSync(join(home, '.docker'));
    writeFileSync(join(home, '.docker/config.json'), JSON.stringify({ credsStore: 'test' }));
    writeFileSync(join(bin, 'docker-credential-test'), `#!/bin/sh\n{ echo "$1"; cat; env; } >> ${bin}/asked\n`, {
      mode: 0o755,
    });
    good(
      await runTbuild(['login', '-u', auth.username, '-p', auth.password, registry.host], {
        env: { HOME: home, PATH: `${bin}:${process.env['PATH']}` },
      }),
    );
    const asked = readFileSync(join(bin, 'asked'), 'utf8');
    expect(asked).toContain('store');
    expect(asked, 'what the launcher sets for the program').not.toMatch(/^(?:GLIBC_TUNABLES|TBUILD_TUNES_MALLOC)=/m);
    expect(asked).toContain(
      JSON.stringify({ ServerURL: registry.host, Username: auth.username, Secret: auth.password }),
    );
    expect(readFileSync(join(home, '.docker/config.json'), 'utf8')).not.toContain(
      Buffer.from(`${auth.username}:`).toString('base64').slice(0, 10),
    );
  });
});

test('login without a terminal requires --password-stdin or a password', async () => {
  const { exitCode, stderr } = await runTbuild(['login', '127.0.0.1:1'], { env: { HOME: scratchDirectory('home') } });
  expect(exitCode).toBe(2);
  expect(stderr).toContain('--password-stdin');
});
