import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builders } from '../../support/builders.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { startGitServer, type GitServer } from '../../support/git-server.ts';
import { statusOf, stepsIn } from '../../support/plain-progress.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildGood, buildInline, defaultStore, writeFiles, type InlineBuild } from '../../support/tbuild.ts';
import { startWebServer, type ListeningServer, type WebFile } from '../../support/web-server.ts';

const files = new Map<string, WebFile>();
const modified = 'Wed, 21 Oct 2015 07:28:00 GMT';
let web: ListeningServer;
let git: GitServer;
let first: string;

beforeAll(async () => {
  web = await startWebServer(files);
  git = await startGitServer();
  await git.commit('lib', { 'lib.txt': 'library\n' });
  first = await git.commit('app', { 'a.txt': 'one\n', 'run.sh': '#!/bin/sh\n', 'dir/deep/f': 'deep\n' });
  await git.git('app', 'tag', '--annotate', 'v1', '--message', 'v1');
  await git.git('app', 'branch', 'stable');
  await git.git('app', 'submodule', '--quiet', 'add', `${git.url}/lib.git`, 'lib');
  await git.git('app', 'config', '--file', '.gitmodules', 'submodule.lib.url', '../lib.git');
  await git.commit('app', { 'a.txt': 'two\n' });
});
afterAll(() => Promise.all([web[Symbol.asyncDispose](), git[Symbol.asyncDispose]()]));

const sha256 = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
const allCached = (build: InlineBuild) =>
  [...stepsIn(build.stderr)].filter(([name]) => name.includes('ADD')).every(([, status]) => status === 'cached');

describe.each(builders)('ADD of URLs by $who', ({ asUser }) => {
  test('creates a file with mode 0600 and the time from the server', async () => {
    files.set('/', { body: 'index\n' });
    files.set('/dir/file.txt?x=1', { body: 'text\n', headers: { 'last-modified': modified } });
    const tree = (
      await buildGood(
        { Dockerfile: `FROM scratch\nADD ${web.url}/dir/file.txt?x=1#y /into/\nADD ${web.url}/ /plain/\n` },
        { asUser },
      )
    ).tree();
    expect(tree.entries.get('/into/file.txt')).toMatchObject({ type: 'file', mode: '0600', uid: 0, gid: 0, size: 5 });
    expect(tree.mtime('/into/file.txt')).toBe(Date.parse(modified) / 1000);
    expect(tree.readText('/plain/__unnamed__')).toBe('index\n');
    expect(tree.mtime('/plain/__unnamed__')).toBe(0);
  });

  test('revalidates in each build and fetches what changed', async () => {
    const path = `/revalidated-${asUser}`;
    const build = () =>
      buildGood({ Dockerfile: `FROM scratch\nADD --chown=5:6 --chmod=640 ${web.url}${path} /f\n` }, { asUser });
    files.set(path, { body: '1\n' });
    await build();
    web.take();
    const again = await build();
    expect(allCached(again)).toBe(true);
    expect(web.take().map(({ status }) => status)).toEqual([304]);
    files.set(path, { body: '2\n' });
    const changed = await build();
    expect(changed.tree().readText('/f')).toBe('2\n');
    expect(changed.tree().entries.get('/f')).toMatchObject({ mode: '0640', uid: 5, gid: 6 });
    expect(web.take().map(({ status }) => status)).toEqual([200]);
  });
});

test.each([
  ['goes on with the same file', false],
  ['does not go on with another file', true],
])('a download that breaks %s', async (_, changes) => {
  await using proxy = await startFaultProxy(new URL(web.url).host);
  const path = `/broken-${changes}`;
  const body = 'x'.repeat(300_000);
  files.set(path, { body });
  proxy.decide = (_line, count) => {
    if (count === 0) return { kind: 'cut-answer', after: 100_000 };
    if (changes) files.set(path, { body: `${body}y` });
    return undefined;
  };
  const build = await buildInline({ Dockerfile: `FROM scratch\nADD http://${proxy.host}${path} /f\n` });
  expect(proxy.seen.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=100000-']);
  if (changes) expect(build.stderr).toContain(`File "http://${proxy.host}${path}" changed while it was downloaded`);
  else expect(build.tree().readText('/f')).toBe(body);
});

test('--checksum is verified, and a stored file that matches is not revalidated', async () => {
  files.set('/sum', { body: 'sum\n' });
  const dockerfile = (sum: string) => `FROM scratch\nADD --checksum=${sum} ${web.url}/sum /f\n`;
  const wrong = await buildInline({ Dockerfile: dockerfile(sha256('other')) });
  expect(wrong.exitCode).toBe(1);
  expect(wrong.stderr).toContain(`Digest mismatch ${sha256('sum\n')}: ${sha256('other')} is expected of`);
  await buildGood({ Dockerfile: dockerfile(sha256('sum\n')) });
  web.take();
  const again = await buildGood({ Dockerfile: dockerfile(sha256('sum\n')) });
  expect(allCached(again)).toBe(true);
  expect(web.take()).toEqual([]);
});

test('ADD --unpack unpacks a remote archive; without it the archive stays as it is', async () => {
  const directory = writeFiles({ 'in/a.txt': 'a\n' });
  await runChecked('tar', ['-czf', 'a.tgz', 'in'], { cwd: directory });
  files.set('/a.tgz', { body: readFileSync(join(directory, 'a.tgz')) });
  const build = await buildGood({
    Dockerfile: `FROM scratch\nADD --unpack ${web.url}/a.tgz /u/\nADD ${web.url}/a.tgz /p/\n`,
  });
  expect(build.tree().readText('/u/in/a.txt')).toBe('a\n');
  expect(build.tree().entries.get('/p/a.tgz')?.type).toBe('file');
});

test('tokens come from secrets, are sent to their host only, and are stored nowhere', async () => {
  const host = new URL(web.url).hostname;
  files.set('/private', { body: 'private\n', authorization: 'Bearer hush' });
  files.set('/elsewhere', { body: '', redirect: `${git.url}/nothing` });
  const secret = join(writeFiles({ token: 'hush\n' }), 'token');
  const dockerfile = `FROM scratch\nADD ${web.url}/private /f\n`;
  const denied = await buildInline({ Dockerfile: dockerfile });
  expect(denied.stderr).toContain('Invalid response status 401');
  expect(denied.stderr).toContain(`--secret id=HTTP_AUTH_TOKEN_${host}`);
  const args = ['--secret', `id=HTTP_AUTH_TOKEN_${host},src=${secret}`];
  const build = await buildGood({ Dockerfile: dockerfile }, { args });
  expect(build.tree().readText('/f')).toBe('private\n');
  expect(JSON.stringify(build.image().config)).not.toContain('hush');
  git.take();
  await buildInline({ Dockerfile: `FROM scratch\nADD ${web.url}/elsewhere /f\n` }, { args });
  expect(git.take().map(({ headers }) => headers.authorization)).toEqual([undefined]);
});

test('a password in a URL is sent, causes a warning, and is stored only in the history', async () => {
  const login = `Basic ${Buffer.from('me:pa@ss-word').toString('base64')}`;
  files.set('/login', { body: 'private\n', authorization: login });
  const [written, shown] = [`http://me:pa@ss-word@${new URL(web.url).host}/login`, `${web.url}/login`];
  const store = scratchDirectory('store');
  const metadata = join(scratchDirectory('metadata'), 'file');
  const dockerfile = `FROM scratch\nADD ${written} /f\n`;
  const args = ['--provenance=mode=max', '--metadata-file', metadata, '--explain'];
  const build = await buildGood({ Dockerfile: dockerfile }, { store, args });
  expect(build.tree().readText('/f')).toBe('private\n');
  expect(build.stderr).toContain(`ADD ${shown} /f`);
  expect(build.stderr).toContain(
    `The history of the image shows the user and password of ADD "${shown}": use --secret id=HTTP_AUTH_TOKEN_127.0.0.1,src=FILE instead`,
  );
  expect(build.stderr).not.toContain('ss-word');
  expect(readFileSync(metadata, 'utf8')).not.toContain('ss-word');
  const { config, manifest } = build.image();
  expect(config.history?.map(({ created_by }) => created_by)).toEqual([`ADD ${written} /f # buildkit`]);
  expect(filesWith('ss-word', store)).toEqual([`blobs/sha256/${manifest.config.digest.slice('sha256:'.length)}`]);
  const failed = await buildInline({ Dockerfile: `${dockerfile}RUN --mount=type=none true\n` }, { store });
  expect(failed.stderr).toContain(`ADD http://${'*'.repeat('me:pa@ss-word'.length)}@`);
  expect(failed.stderr).not.toContain('ss-word');
});

/** Returns the files below a directory that contain a text. */
function filesWith(text: string, directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(text))
    .map((path) => relative(directory, path));
}

test.each([
  ['a missing file', () => `${web.url}/missing`, 'Invalid response status 404 for'],
  [
    'a server that is not there',
    () => 'http://127.0.0.1:1/x',
    'Server 127.0.0.1:1 cannot be reached: connection refused',
  ],
  ['a repository that is not there', () => `${git.url}/none.git`, 'Failed to fetch remote'],
  ['a ref that is not there', () => `${git.url}/app.git#none`, 'does not contain ref none'],
  [
    'a directory that is not there',
    () => `${git.url}/app.git#v1:none`,
    'Directory "none" is not in the git repository',
  ],
])('%s is named, with the place in the Dockerfile', async (_, url, message) => {
  const build = await buildInline({ Dockerfile: `FROM scratch\nADD ${url()} /f\n` });
  expect(build.exitCode).toBe(1);
  expect(build.stderr).toContain(message);
  expect(build.stderr).toContain('Dockerfile:2:');
});

describe.each(builders)('ADD of git repositories by $who', ({ asUser }) => {
  test('checks out a branch, a tag, a commit, a directory, with submodules or without', async () => {
    const dockerfile = `FROM scratch
ADD ${git.url}/app.git /default/
ADD ${git.url}/app.git#v1 /tag/
ADD ${git.url}/app.git#stable:dir /dir/
ADD ${git.url}/app.git?branch=main&submodules=0 /bare/
ADD ${git.url}/app.git#${first} /commit/
`;
    const tree = (await buildGood({ Dockerfile: dockerfile }, { asUser })).tree();
    expect(tree.readText('/default/a.txt')).toBe('two\n');
    expect(tree.readText('/default/lib/lib.txt')).toBe('library\n');
    expect(tree.entries.get('/default/run.sh')).toMatchObject({ mode: '0755', uid: 0, gid: 0 });
    expect(tree.entries.get('/default/a.txt')).toMatchObject({ mode: '0644', uid: 0, gid: 0 });
    expect(tree.readText('/tag/a.txt')).toBe('one\n');
    expect(tree.readText('/dir/deep/f')).toBe('deep\n');
    expect(tree.entries.has('/bare/lib/lib.txt')).toBe(false);
    expect(tree.readText('/commit/a.txt')).toBe('one\n');
    expect([...tree.entries.keys()].filter((path) => path.endsWith('.git'))).toEqual([]);
  });
});

test('a repository with SHA-256 is checked out by branch and by commit', async () => {
  const work = scratchDirectory('sha256');
  const own = (...args: string[]) =>
    runChecked('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.invalid', ...args], { cwd: work });
  await own('init', '--quiet', '--object-format=sha256', '--initial-branch=main');
  writeFiles({ f: 'one\n' }, work);
  await own('add', '.');
  await own('commit', '--quiet', '--message', 'x');
  const commit = (await own('rev-parse', 'HEAD')).trim();
  await git.publish(work, 'long.git');
  const dockerfile = `FROM scratch\nADD ${git.url}/long.git#main /b/\nADD --keep-git-dir ${git.url}/long.git#${commit} /c/\n`;
  const tree = (await buildGood({ Dockerfile: dockerfile })).tree();
  expect([tree.readText('/b/f'), tree.readText('/c/f')]).toEqual(['one\n', 'one\n']);
  expect(tree.readText('/c/.git/HEAD')).toBe(`${commit}\n`);
});

test('a repository on a plain web server is checked out with its submodules', async () => {
  for (const name of ['app', 'lib']) await publishPlainly(join(git.directory, `${name}.git`), `/plain/${name}.git`);
  const tree = (await buildGood({ Dockerfile: `FROM scratch\nADD ${web.url}/plain/app.git#main /\n` })).tree();
  expect([tree.readText('/a.txt'), tree.readText('/lib/lib.txt')]).toEqual(['two\n', 'library\n']);
});

/** Serves the files of a bare repository as they are. */
async function publishPlainly(repository: string, path: string): Promise<void> {
  await runChecked('git', ['update-server-info'], { cwd: repository });
  for (const entry of readdirSync(repository, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const url = `${path}/${relative(repository, file)}`;
    files.set(url, { body: readFileSync(file) });
    files.set(`${url}?service=git-upload-pack`, { body: readFileSync(file) });
  }
}

test('fetch-by-commit takes the commit, wherever the ref is', async () => {
  const url = `${git.url}/app.git?fetch-by-commit&commit=${first}#main`;
  const tree = (await buildGood({ Dockerfile: `FROM scratch\nADD ${url} /by-commit/\n` })).tree();
  expect(tree.readText('/by-commit/a.txt')).toBe('one\n');
});

test('a cached build resolves the git ref and fetches nothing; a commit needs no request', async () => {
  const dockerfile = `FROM scratch\nADD ${git.url}/app.git#stable /b/\nADD ${git.url}/app.git#${first} /c/\n`;
  await buildGood({ Dockerfile: dockerfile });
  git.take();
  const again = await buildGood({ Dockerfile: dockerfile });
  expect(allCached(again)).toBe(true);
  const asked = git.take().map(({ path }) => path);
  expect(asked.filter((path) => path.includes('info/refs'))).toHaveLength(1);
  await git.commit('moving', { f: '1\n' });
  const moving = () => buildGood({ Dockerfile: `FROM scratch\nADD ${git.url}/moving.git /m/\n` });
  expect((await moving()).tree().readText('/m/f')).toBe('1\n');
  await git.commit('moving', { f: '2\n' });
  expect((await moving()).tree().readText('/m/f')).toBe('2\n');
});

test('--keep-git-dir keeps a usable repository of one commit', async () => {
  const target = scratchDirectory('kept');
  const build = await buildGood(
    { Dockerfile: `FROM scratch\nADD --keep-git-dir=true ${git.url}/app.git#stable /\n` },
    { args: ['--output', `type=local,dest=${target}`] },
  );
  expect(build.exitCode).toBe(0);
  const log = await runChecked('git', ['-c', 'safe.directory=*', 'log', '--format=%H'], { cwd: target });
  expect(log.trim()).toBe(first);
  expect(await runChecked('git', ['-c', 'safe.directory=*', 'status', '--short'], { cwd: target })).toBe('');
  expect(existsSync(join(target, '.git/refs/heads/stable'))).toBe(true);
});

test.each([
  ['the first commit', 'v1'],
  ['a commit with a parent, which is not fetched', 'main'],
])('mtime=commit sets the time of all files to that of %s', async (_, ref) => {
  const time = Number(await git.git('app', 'log', '-1', '--format=%ct', ref));
  const Dockerfile = `FROM scratch\nADD ${git.url}/app.git?ref=${ref}&mtime=commit&submodules=0 /\n`;
  const tree = (await buildGood({ Dockerfile })).tree();
  expect(['/a.txt', '/dir', '/dir/deep/f'].map((path) => tree.mtime(path))).toEqual([time, time, time]);
});

test('--checksum of a git source takes a prefix of the commit', async () => {
  const dockerfile = (sum: string) => `FROM scratch\nADD --checksum=${sum} ${git.url}/app.git#v1 /\n`;
  await buildGood({ Dockerfile: dockerfile(first.slice(0, 12)) });
  const wrong = await buildInline({ Dockerfile: dockerfile('0123456789') });
  expect(wrong.exitCode).toBe(1);
  expect(wrong.stderr).toContain(`to match 0123456789, got ${first}`);
});

test('GIT_AUTH_TOKEN opens a private repository and never appears as an argument', async () => {
  const token = 's3cret';
  await using server = await startGitServer({
    authorization: `basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`,
  });
  await server.commit('private', { f: 'private\n' });
  const dockerfile = `FROM scratch\nADD ${server.url}/private.git /\n`;
  const denied = await buildInline({ Dockerfile: dockerfile });
  expect(denied.exitCode).toBe(1);
  const { host } = new URL(server.url);
  for (const id of ['GIT_AUTH_TOKEN', `GIT_AUTH_TOKEN.${host}`]) {
    const build = await buildGood(
      { Dockerfile: dockerfile },
      { args: ['--secret', `id=${id},env=TOKEN`], env: { TOKEN: token } },
    );
    expect(build.tree().readText('/f')).toBe('private\n');
  }
});

test('fetches leave nothing in the directory for running builds', async () => {
  await buildGood({ Dockerfile: `FROM scratch\nADD ${git.url}/app.git ${web.url}/ /x/\n` });
  expect(readdirSync(join(defaultStore(), 'run'))).toEqual([]);
});

test('an ADD that fetched the same content leaves the next steps cached', async () => {
  files.set('/same', { body: 'same\n', headers: { etag: '"1"' } });
  const dockerfile = `FROM busybox\nADD ${web.url}/same /f\nRUN cat /f > /g\n`;
  await buildGood({ Dockerfile: dockerfile });
  files.set('/same', { body: 'same\n', headers: { etag: '"2"' } });
  const again = await buildGood({ Dockerfile: dockerfile });
  expect(statusOf(again.stderr, 'RUN cat')).toBe('cached');
});
