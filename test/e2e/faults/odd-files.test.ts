import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { baseImage } from '../../support/base-images.ts';
import { eventually } from '../../support/eventually.ts';
import { program } from '../../support/program.ts';
import { runProcess } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildContext, buildGood, buildInline, defaultStore, runTbuild } from '../../support/tbuild.ts';

/** Unexpected files in the place of a small file, with the message for each. */
const oddFiles: [what: string, make: (path: string) => void, message: string][] = [
  ['a FIFO', (path) => void execFileSync('mkfifo', [path]), 'is a FIFO, expected a regular file'],
  ['a socket', makeSocket, 'is a socket, expected a regular file'],
  ['a directory', (path) => void mkdirSync(path), 'is a directory, expected a regular file'],
  ['a file of 3 GB', makeLarge, 'has 3000000000 bytes, expected at most 16777216'],
];

function makeSocket(path: string): void {
  execFileSync('python3', ['-c', 'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])', path]);
}

function makeLarge(path: string): void {
  writeFileSync(path, '');
  truncateSync(path, 3e9);
}

describe.each(oddFiles)('%s is refused', (_what, make, message) => {
  const contextWith = (name: string): string => {
    const context = scratchDirectory('odd');
    if (name !== 'Dockerfile') writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY . /\n');
    make(join(context, name));
    return context;
  };

  test.each(['.dockerignore', 'Dockerfile.dockerignore'])('as %s', async (name) => {
    const context = contextWith(name);
    const build = await buildContext(context);
    expect(build.stderr).toContain(`Ignore file ${JSON.stringify(join(context, name))} ${message}`);
    expect(build.exitCode).toBe(1);
  });

  test('as the Dockerfile', async () => {
    const context = contextWith('Dockerfile');
    const build = await buildContext(context);
    expect(build.stderr).toContain(`Dockerfile ${JSON.stringify(join(context, 'Dockerfile'))} ${message}`);
    expect(build.exitCode).toBe(1);
  });

  test('as the index of a layout', async () => {
    const layout = contextWith('index.json');
    const build = await buildInline(
      { Dockerfile: 'FROM base\n' },
      { args: ['--build-context', `base=oci-layout://${layout}`] },
    );
    expect(build.stderr).toContain(`Index ${JSON.stringify(join(layout, 'index.json'))} ${message}`);
    expect(build.exitCode).toBe(1);
  });
});

const inImage: [what: string, command: string, message: string][] = [
  ['a FIFO', 'mkfifo', 'is a FIFO, expected a regular file'],
  ['a directory', 'mkdir', 'is a directory, expected a regular file'],
  ['a file of 100 MB', 'truncate -s 100000000', 'has 100000000 bytes, expected at most 16777216'],
];

test.each(inImage)('%s as /etc/passwd stops only steps that look up a user', async (_what, command, message) => {
  const odd = `FROM busybox\nRUN rm /etc/passwd && ${command} /etc/passwd\nRUN echo built > /built\n`;
  const good = await buildGood({ Dockerfile: odd });
  expect(good.tree().readText('/built')).toBe('built\n');
  for (const step of ['COPY --chown=web a /', 'USER 1000\nRUN true', 'USER web\nWORKDIR /w']) {
    const build = await buildInline({ Dockerfile: `${odd}${step}\n`, a: 'a' });
    expect(build.stderr).toContain(`"/etc/passwd" of the step's tree ${message}`);
    expect(build.exitCode).toBe(1);
  }
});

test('a FIFO or a large file as a package database causes a warning and is left out of the SBOM', async () => {
  const Dockerfile = `FROM busybox
RUN mkdir -p /lib/apk/db /app && truncate -s 300000000 /lib/apk/db/installed && mkfifo /app/package-lock.json
`;
  const build = await buildGood({ Dockerfile }, { args: ['--sbom=true'] });
  expect(build.stderr).toContain('"/lib/apk/db/installed"');
});

describe('a pipe is read where the user names it:', () => {
  const bash = (script: string, ...args: readonly string[]) =>
    runProcess('bash', ['-c', script, program, ...args], {
      env: { TBUILD_ROOT: defaultStore(), HOME: scratchDirectory('home') },
    });

  test.each(['<(echo "$1")', '/dev/stdin < <(echo "$1")', '- < <(echo "$1")', '/dev/stdin <<< "$1"'])(
    'the Dockerfile is -f %s',
    async (input) => {
      const context = scratchDirectory('piped');
      writeFileSync(join(context, 'a'), 'a');
      const built = await bash(`"$0" -t piped "$2" -f ${input}`, 'FROM scratch\nCOPY a /', context);
      expect(built).toMatchObject({ exitCode: 0 });
    },
  );

  test('a secret', async () => {
    const Dockerfile = `FROM busybox
RUN --mount=type=secret,id=s cp /run/secrets/s /first
RUN --mount=type=secret,id=s cp /run/secrets/s /second
`;
    const context = scratchDirectory('piped');
    const out = scratchDirectory('out');
    writeFileSync(join(context, 'Dockerfile'), Dockerfile);
    const layout = baseImage('busybox');
    const script = '"$0" --build-context "busybox=oci-layout://$1" --secret id=s,src=<(echo told) -o "$2" "$3"';
    expect(await bash(script, layout, out, context)).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(out, 'first'), 'utf8') + readFileSync(join(out, 'second'), 'utf8')).toBe('told\ntold\n');
  });

  test('an archive to load', async () => {
    const archive = join(scratchDirectory('archive'), 'a.tar');
    await buildGood(
      { Dockerfile: 'FROM scratch\nCOPY a /', a: 'a' },
      { args: ['--tag', 'piped:load', '-o', `type=docker,dest=${archive}`] },
    );
    expect(await bash('"$0" load -i <(cat "$1")', archive)).toMatchObject({
      exitCode: 0,
      stdout: 'Loaded image: piped:load\n',
    });
  });
});

test.each([
  ['a pipe', 'exec "$0" load -i "$1"'],
  ['standard input', 'exec "$0" load <> "$1"'],
])('waiting for an archive on %s that nobody writes ends with SIGTERM', async (_what, command) => {
  const pipe = join(scratchDirectory('pipe'), 'p');
  execFileSync('mkfifo', [pipe]);
  const store = scratchDirectory('store');
  const leases = join(store, 'leases');
  const loading = await runProcess('bash', ['-c', command, program, pipe], {
    env: { TBUILD_ROOT: store, HOME: scratchDirectory('home') },
    // The load takes a lease before it reads.
    onStart: (child) =>
      void eventually(() => existsSync(leases) && readdirSync(leases).length > 0).then(() => child.kill()),
  });
  expect(loading.exitCode).toBe(130);
});

test.each([
  ['a socket', makeSocket],
  ['a directory', (path: string) => void mkdirSync(path)],
])('%s is no archive to load', async (what, make) => {
  const path = join(scratchDirectory('archive'), 'odd');
  make(path);
  const loaded = await runTbuild(['load', '-i', path]);
  expect(loaded.stderr).toContain(`Archive ${JSON.stringify(path)} is ${what}, expected a regular file or a pipe`);
  expect(loaded.exitCode).toBe(2);
});
