import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { program } from '../../support/program.ts';
import { startRegistry } from '../../support/registry.ts';
import { needs } from '../../support/requirements.ts';
import { runProcess } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildContext, runTbuild, userDirectory, writeFiles } from '../../support/tbuild.ts';

describe('a context with something that the user may not read', needs('root'), () => {
  const hint = 'hint: Make it readable with chmod or chown, or add it to .dockerignore if the build does not need it\n';

  test.each([
    ['file', 'secret', 0o000],
    ['directory', 'closed', 0o000],
  ])('%s fails in words, with the way out', async (kind, name, mode) => {
    const context = writeFiles(
      { Dockerfile: 'FROM scratch\nCOPY . /\n', secret: '', 'closed/': '' },
      userDirectory('context'),
    );
    chmodSync(context, 0o755);
    chmodSync(join(context, name), mode);
    const { exitCode, stderr } = await buildContext(context, { asUser: true });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(new RegExp(`ERROR: Cannot read (?:directory )?".*/${name}/?": permission denied\n${hint}`));
    expect(kind).not.toBe('');

    writeFileSync(join(context, '.dockerignore'), `${name}\n`);
    expect((await buildContext(context, { asUser: true })).stderr).not.toContain('ERROR');
  });
});

describe('a wrong password', needs('registry'), () => {
  test('names the place where it is kept', async () => {
    await using registry = await startRegistry({ auth: { username: 'me', password: 'right' } });
    const home = scratchDirectory('home');
    const config = join(home, '.docker/config.json');
    mkdirSync(join(home, '.docker'));
    const auth = Buffer.from('me:wrong').toString('base64');
    writeFileSync(config, JSON.stringify({ auths: { [registry.host]: { auth } } }));
    const context = writeFiles({ Dockerfile: `FROM ${registry.host}/app:1\n` });
    const { exitCode, stderr } = await runTbuild([context], { env: { HOME: home } });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      `hint: Check the user and password in ${config}, or log in again with "tbuild login ${registry.host}"\n`,
    );
    const { stderr: byJob } = await runTbuild([context], {
      env: { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [registry.host]: { auth } } }) },
    });
    expect(byJob).toContain('hint: Check the user and password in DOCKER_AUTH_CONFIG, or ');
  });
});

describe('a full disk', needs('root', 'unshare'), () => {
  const mounted = 'mount -t tmpfs -o size=4m tmpfs "$1" && shift && exec "$@"';

  test.each([
    ['COPY', 'COPY large /\n'],
    ['a step', 'RUN head -c 8000000 /dev/zero > /large\n'],
  ])('of the store fails in %s with its name and the way to free space', async (_, instruction) => {
    const context = writeFiles({ Dockerfile: `FROM base\n${instruction}`, large: '' });
    writeFileSync(join(context, 'large'), Buffer.alloc(8_000_000, 1));
    const store = scratchDirectory('store');
    const base = [
      '--build-context',
      `base=oci-layout://${(await import('../../support/base-images.ts')).baseImage('busybox')}`,
    ];
    const args = ['--mount', 'sh', '-c', mounted, 'sh', store, program, '--root', store, ...base, context];
    const { exitCode, stderr } = await runProcess('unshare', args, { env: { HOME: scratchDirectory('home') } });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(new RegExp(`hint: [^\n]*"?${store}"?[^\n]*`));
    expect(stderr).toMatch(/hint: .*tbuild prune/);
  });
});

test('a place that an output cannot be written to fails before anything is built', async () => {
  const context = writeFiles({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
  for (const output of [
    `type=oci,dest=${context}`,
    `type=local,dest=${context}/Dockerfile`,
    `type=tar,dest=${context}/Dockerfile/x`,
  ]) {
    const { exitCode, stderr } = await runTbuild(['--progress', 'plain', '-o', output, context]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('ERROR: Cannot write the output ');
    expect(stderr).not.toContain('COPY');
  }
});
