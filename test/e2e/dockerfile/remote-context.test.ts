import { readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builders } from '../../support/builders.ts';
import { startGitServer, type GitServer } from '../../support/git-server.ts';
import { stepsIn } from '../../support/plain-progress.ts';
import { runChecked } from '../../support/run-process.ts';
import { buildContext, buildGood, defaultStore, good, writeFiles } from '../../support/tbuild.ts';
import { startWebServer, type ListeningServer, type WebFile } from '../../support/web-server.ts';

const files = new Map<string, WebFile>();
const context = {
  Dockerfile: 'FROM scratch\nCOPY . /all/\n',
  'sub/Other': 'FROM scratch\nCOPY a.txt /other\n',
  'a.txt': 'a\n',
  '.dockerignore': 'a.txt\n',
};
let web: ListeningServer;
let git: GitServer;

beforeAll(async () => {
  web = await startWebServer(files);
  git = await startGitServer();
  await git.commit('app', context);
  await git.git('app', 'tag', 'v1');
  await git.commit('app', {
    'a.txt': 'newer\n',
    'nested/Dockerfile': 'FROM scratch\nCOPY b.txt /\n',
    'nested/b.txt': 'b\n',
  });
});
afterAll(() => Promise.all([web[Symbol.asyncDispose](), git[Symbol.asyncDispose]()]));

/** Creates an archive of the context whose files have foreign owners. */
async function archive(extra: Readonly<Record<string, string>> = {}, ...options: readonly string[]): Promise<Buffer> {
  const directory = writeFiles({ ...context, ...extra });
  const names = readdirSync(directory);
  await runChecked(
    'tar',
    ['--owner=1000', '--group=1001', '-cf', join(directory, 'context.archive'), ...options, ...names],
    { cwd: directory },
  );
  return readFileSync(join(directory, 'context.archive'));
}

const ran = (stderr: string) =>
  [...stepsIn(stderr)].filter(([name, status]) => /COPY|ADD/.test(name) && status !== 'cached').length;

describe.each(builders)('standard input as context, by $who', ({ asUser }) => {
  test.each(['', '--gzip', '--bzip2', '--xz'])(
    'an archive %s, with no ignore file and its own owners',
    async (compression) => {
      const input = await archive({}, ...(compression === '' ? [] : [compression]));
      const build = good(await buildContext('-', { input, asUser }));
      expect(build.tree().readText('/all/a.txt')).toBe('a\n');
      expect(build.tree().entries.get('/all/a.txt')).toMatchObject({ uid: 1000, gid: 1001, mode: '0644' });
      expect(readdirSync(join(defaultStore(asUser), 'run'))).toEqual([]);
    },
  );

  test('a Dockerfile alone builds without a context', async () => {
    const build = good(await buildContext('-', { input: 'FROM scratch\nCOPY <<EOF /f\ntext\nEOF\n', asUser }));
    expect(build.tree().readText('/f')).toBe('text\n');
  });
});

test('the second build of an archive on standard input is cached', async () => {
  const input = await archive({ 'a.txt': 'cached\n' });
  good(await buildContext('-', { input }));
  expect(ran(good(await buildContext('-', { input })).stderr)).toBe(0);
});

test('-f names a file inside a remote context', async () => {
  const input = await archive();
  const args = ['-f', 'sub/Other'];
  for (const build of [
    await buildContext('-', { input, args }),
    await buildContext(`${git.url}/app.git#v1`, { args }),
  ]) {
    expect(good(build).tree().readText('/other')).toBe('a\n');
  }
});

test('-f - supplies the Dockerfile for a directory and for a remote context', async () => {
  const input = 'FROM scratch\nCOPY a.txt /from-input\n';
  const directory = writeFiles({ 'a.txt': 'here\n' });
  const build = good(await buildContext(directory, { input, args: ['-f', '-'] }));
  expect(build.tree().readText('/from-input')).toBe('here\n');
  const remote = good(await buildContext(`${git.url}/app.git#v1`, { input, args: ['-f', '-'] }));
  expect(remote.tree().readText('/from-input')).toBe('a\n');
});

test('-f takes a URL', async () => {
  files.set('/Other', { body: 'FROM scratch\nCOPY a.txt /from-url\n' });
  const build = await buildGood({ 'a.txt': 'here\n' }, { args: ['-f', `${web.url}/Other`] });
  expect(build.tree().readText('/from-url')).toBe('here\n');
});

describe.each(builders)('a git repository as context, by $who', ({ asUser }) => {
  test('takes a ref, a directory and the default branch', async () => {
    const tagged = good(await buildContext(`${git.url}/app.git#v1`, { asUser }));
    expect(tagged.tree().readText('/all/a.txt')).toBe('a\n');
    expect([...tagged.tree().entries.keys()].filter((path) => path.includes('/.git'))).toEqual([]);
    const nested = good(await buildContext(`${git.url}/app.git#main:nested`, { asUser }));
    expect(nested.tree().readText('/b.txt')).toBe('b\n');
    const latest = good(await buildContext(`${git.url}/app.git`, { asUser }));
    expect(latest.tree().readText('/all/a.txt')).toBe('newer\n');
    expect(ran(good(await buildContext(`${git.url}/app.git`, { asUser })).stderr)).toBe(0);
  });
});

test('BUILDKIT_CONTEXT_KEEP_GIT_DIR keeps .git', async () => {
  const build = good(
    await buildContext(`${git.url}/app.git#v1`, { args: ['--build-arg', 'BUILDKIT_CONTEXT_KEEP_GIT_DIR=1'] }),
  );
  expect(build.tree().entries.get('/all/.git/HEAD')?.type).toBe('file');
});

test('a context that is the URL of an archive is unpacked, and revalidated in the next build', async () => {
  files.set('/context.tgz', { body: await archive({}, '--gzip') });
  const build = good(await buildContext(`${web.url}/context.tgz`));
  expect(build.tree().entries.get('/all/a.txt')).toMatchObject({ uid: 1000, gid: 1001 });
  web.take();
  expect(ran(good(await buildContext(`${web.url}/context.tgz`)).stderr)).toBe(0);
  expect(web.take().map(({ status }) => status)).toEqual([304]);
});

test('a context that is the URL of a text is the Dockerfile and the only file', async () => {
  files.set('/Containerfile', { body: 'FROM scratch\nCOPY . /all/\n' });
  const build = good(await buildContext(`${web.url}/Containerfile`));
  expect([...build.tree().entries.keys()]).toEqual(['/all', '/all/context']);
});

test('named contexts take git repositories and URLs; the file of a URL is not unpacked', async () => {
  const body = await archive();
  files.set('/named.tar', { body });
  const args = ['--build-context', `repo=${git.url}/app.git#v1`, '--build-context', `file=${web.url}/named.tar`];
  const dockerfile =
    'FROM repo\nCOPY --from=file / /file/\nFROM scratch\nCOPY --from=0 / /\nCOPY --from=repo a.txt /b\n';
  const build = await buildGood({ Dockerfile: dockerfile }, { args });
  expect(build.tree().readText('/a.txt')).toBe('a\n');
  expect(build.tree().readText('/b')).toBe('a\n');
  expect(build.tree().entries.get('/file/named.tar')).toMatchObject({ size: body.length, mode: '0600' });
});

test('a link in a fetched context does not lead out of it', async () => {
  const directory = writeFiles({});
  symlinkSync('/etc/passwd', join(directory, 'Dockerfile'));
  await runChecked('tar', ['-cf', 'context.archive', 'Dockerfile'], { cwd: directory });
  const build = await buildContext('-', { input: readFileSync(join(directory, 'context.archive')) });
  expect(build.exitCode).toBe(1);
  expect(build.stderr).toContain('Failed to read dockerfile: open Dockerfile: no such file or directory');
});

test.each([
  ['both on standard input', '-', ['-f', '-'], 'Standard input cannot be both', 2],
  [
    'a Dockerfile on standard input and another',
    '-',
    ['-f', 'Other'],
    'Standard input is a Dockerfile, and -f names another one',
    2,
  ],
  ['no such path', '/no/such/path', [], 'path "/no/such/path" not found', 1],
  ['a query that git sources do not have', 'https://host.invalid/x.git?what=1', [], 'the query "what" is not known', 2],
])('%s is refused', async (_, name, args, message, exitCode) => {
  const build = await buildContext(name, { args, input: 'FROM scratch\n' });
  expect(build.stderr).toContain(message);
  expect(build.exitCode).toBe(exitCode);
});

test('errors in a remote Dockerfile show its lines', async () => {
  files.set('/broken', { body: 'FROM scratch\nCOPPY a b\n' });
  const build = await buildContext(`${web.url}/broken`);
  expect(build.stderr).toMatch(/2 \| >>> COPPY a b/);
});

test('a large context with git-ignored directories causes one warning, unless .dockerignore leaves them out', async () => {
  const directory = writeFiles({
    Dockerfile: 'FROM scratch\nCOPY . /\n',
    '.gitignore': 'node_modules\n',
    'node_modules/x': '',
    'src/a': 'a\n',
  });
  truncateSync(join(directory, 'node_modules/x'), 60_000_000);
  const warning = 'are ignored by git: 60.0 MB in 1 of 4 files, mainly node_modules (60.0 MB)';
  expect(good(await buildContext(directory)).stderr).toContain(warning);
  expect(good(await buildContext(directory)).stderr).not.toContain('ignored by git');
  writeFileSync(join(directory, '.dockerignore'), 'node_modules\n');
  expect(good(await buildContext(directory)).stderr).not.toContain('ignored by git');
});
