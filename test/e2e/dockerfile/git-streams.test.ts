import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { startGitServer } from '../../support/git-server.ts';
import { startGitDaemon, type GitStreams } from '../../support/git-streams.ts';
import { processesNaming } from '../../support/leftovers.ts';
import { patiently } from '../../support/patience.ts';
import { program } from '../../support/program.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { startSshServer } from '../../support/ssh-server.ts';
import { buildGood, buildInline, writeFiles } from '../../support/tbuild.ts';
import { startTerminal } from '../../support/terminal.ts';

const content = Array.from({ length: 20_000 }, (_, index) => Math.sqrt(index).toString(36)).join('');

/** Starts a server for `git://` with a repository of one file. */
async function startServer() {
  const git = await startGitServer();
  await git.commit('app', { f: content });
  const streams = await startGitDaemon(git.directory);
  return {
    ...git,
    streams,
    url: `git://127.0.0.1:${streams.port}/app.git`,
    async [Symbol.asyncDispose]() {
      await Promise.all([git, streams].map((server) => server[Symbol.asyncDispose]()));
    },
  };
}

const adding = (url: string) => ({ Dockerfile: `FROM scratch\nADD ${url} /\n` });

/** Returns the packs of the repositories in a store, also unfinished ones. */
function packsIn(store: string): readonly string[] {
  return readdirSync(join(store, 'git')).flatMap((mirror) => {
    const packs = join(store, 'git', mirror, 'objects/pack');
    return existsSync(packs) ? readdirSync(packs) : [];
  });
}

test.each([
  ['never answers', { kind: 'hang' }],
  ['sends a byte every two seconds', { kind: 'dribble', everyMs: 2000 }],
  ['stops in the middle of its files', { kind: 'stall', after: 50_000 }],
] as const)('a git:// server that %s has --server-timeout', async (_, fault) => {
  await using server = await startServer();
  server.streams.decide = () => fault;
  const store = scratchDirectory('store');
  const build = await buildInline(adding(server.url), { args: ['--server-timeout', '2s'], store });
  expect(build.exitCode).toBe(1);
  expect(build.stderr).toContain(
    `ERROR: Failed to fetch remote "${server.url}": its server is silent\nhint: Try again later, or wait longer with`,
  );
  server.streams.decide = () => undefined;
  expect((await buildGood(adding(server.url), { store })).tree().readText('/f')).toBe(content);
});

test('a server behind ssh has it too, but for one that works', needs('root', 'sshd', 'ssh'), async () => {
  await using server = await startGitServer();
  await server.commit('app', { f: content });
  const store = scratchDirectory('store');
  const build = async (command: string | undefined, args: readonly string[]) => {
    await using ssh = await startSshServer({ command });
    return await buildInline(adding(`ssh://${ssh.name}${server.directory}/app.git`), { args, env: ssh.env, store });
  };
  const silent = await build('cat > /dev/null', ['--server-timeout', '2s']);
  expect(silent.stderr).toMatch(/ERROR: Failed to fetch remote ".*app.git": its server is silent/);
  expect((await build(undefined, [])).tree().readText('/f')).toBe(content);
});

test('a fetch ends when its pack is larger than --unpack-limits allows, and leaves nothing', async () => {
  await using server = await startServer();
  server.streams.decide = () => ({ kind: 'stall', after: 100_000 });
  const store = scratchDirectory('store');
  const build = await buildInline(adding(server.url), { args: ['--unpack-limits', 'size=50kb'], store });
  expect(build.exitCode).toBe(1);
  expect(build.stderr).toMatch(
    /ERROR: The repository "git:.*app.git" has more than 50000 bytes\nhint: .* --unpack-limits size=SIZE/,
  );
  expect(packsIn(store)).toEqual([]);
});

test.each([
  ['size=50kb', 'has more than 50000 bytes'],
  ['entries=1', 'has more than 1 entries'],
])('the files of a commit are within --unpack-limits %s', async (limits, message) => {
  await using server = await startGitServer();
  // A pack of it is small.
  await server.commit('app', { f: '0'.repeat(100_000), g: '' });
  const build = await buildInline(adding(`${server.url}/app.git`), { args: ['--unpack-limits', limits] });
  expect(build.exitCode).toBe(1);
  expect(build.stderr).toMatch(new RegExp(`ERROR: The repository "http:.*app.git" ${message}`));
});

test('the files of a submodule are within --unpack-limits too', async () => {
  await using server = await startGitServer();
  await server.commit('lib', { f: '0'.repeat(100_000) });
  await server.commit('app', { f: 'small\n' });
  await server.git('app', 'submodule', '--quiet', 'add', `${server.url}/lib.git`, 'lib');
  await server.commit('app', { f: 'small still\n' });
  const build = (size: string) =>
    buildInline(adding(`${server.url}/app.git`), { args: ['--unpack-limits', `size=${size}`] });
  const { exitCode, stderr } = await build('80kb');
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/ERROR: The repository "http:.*app.git" has more than 80000 bytes/);
  expect(await build('1mb')).toMatchObject({ exitCode: 0 });
});

/** Waits until a build fetches files of which the server sends only a part. */
function stalled(streams: GitStreams): Promise<void> {
  return new Promise((resolve) => {
    let connections = 0;
    streams.decide = () => {
      // The second one fetches.
      if (++connections < 2) return undefined;
      setTimeout(resolve, 500);
      return { kind: 'stall', after: 50_000 };
    };
  });
}

test('SIGINT ends git with what it has started', async () => {
  await using server = await startServer();
  const store = scratchDirectory('store');
  const build = await buildInline(adding(server.url), {
    store,
    onStart: (child) => void stalled(server.streams).then(() => child.kill('SIGINT')),
  });
  expect(build.exitCode).toBe(130);
  await vi.waitFor(() => expect(processesNaming(server.url)).toEqual([]), patiently);
  expect(packsIn(store)).toEqual([]);
});

test('Ctrl-C on a terminal, which the shell around git gets too, ends git', needs('tmux'), async () => {
  await using server = await startServer();
  const store = scratchDirectory('store');
  const fetching = stalled(server.streams);
  const args = [program, 'build', '--progress', 'plain', writeFiles(adding(server.url))];
  await using terminal = await startTerminal(args, { env: { TBUILD_ROOT: store } });
  await fetching;
  await terminal.send('', 'C-c');
  await terminal.screens();
  expect(terminal.exitCode()).toBe(130);
  await vi.waitFor(() => expect(processesNaming(server.url)).toEqual([]), patiently);
  expect(packsIn(store)).toEqual([]);
});
