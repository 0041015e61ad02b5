import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGitServer, type GitServer } from '../../support/git-server.ts';
import { stepsIn } from '../../support/plain-progress.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildGood, buildInline, writeFiles, type InlineBuild } from '../../support/tbuild.ts';

let git: GitServer;
beforeAll(async () => {
  git = await startGitServer();
});
afterAll(() => git[Symbol.asyncDispose]());

const allCached = (build: InlineBuild) =>
  [...stepsIn(build.stderr)].filter(([name]) => name.includes('ADD')).every(([, status]) => status === 'cached');

test('content filters are part of the key, with what they do', async () => {
  await git.commit('filtered', { '.gitattributes': '*.bin filter=named\n', 'x.bin': 'pointer\n' });
  const store = scratchDirectory('store');
  const home = (command?: string) =>
    writeFiles(
      command === undefined ? {} : { '.gitconfig': `[filter "named"]\n\tsmudge = sed s/pointer/${command}/\n` },
    );
  const build = (HOME: string) =>
    buildGood({ Dockerfile: `FROM scratch\nADD ${git.url}/filtered.git /\n` }, { store, env: { HOME } });
  const content = async (HOME: string) => (await build(HOME)).tree().readText('/x.bin');
  const filtering = home('content');
  expect(await content(filtering)).toBe('content\n');
  expect(await content(home())).toBe('pointer\n');
  expect(await content(home('other'))).toBe('other\n');
  expect(allCached(await build(filtering))).toBe(true);
});

/** Commits a file of Git LFS. */
async function commitLarge(repository: string, content: string): Promise<void> {
  await git.commit(repository, { '.gitattributes': '*.bin filter=lfs -text\n' });
  // Git LFS puts hooks into the repository, which cannot push to a directory.
  await git.git(repository, 'config', 'core.hooksPath', '/dev/null');
  await git.git(repository, 'config', 'filter.lfs.clean', 'git-lfs clean -- %f');
  await git.git(repository, 'config', 'filter.lfs.process', 'git-lfs filter-process');
  await git.commit(repository, { 'x.bin': content });
}

/** Makes the home of a user, who has Git LFS if there are options. */
async function home(...options: readonly string[]): Promise<Record<string, string>> {
  const env = { HOME: scratchDirectory('home'), GIT_CONFIG_NOSYSTEM: '1' };
  if (options.length > 0) await runChecked('git', ['lfs', 'install', '--skip-repo', ...options], { env });
  return env;
}

test('files of Git LFS are within --unpack-limits', needs('git-lfs'), async () => {
  await commitLarge('huge', '0'.repeat(100_000));
  const [Dockerfile, env] = [`FROM scratch\nADD ${git.url}/huge.git /\n`, await home('--force')];
  const { exitCode, stderr } = await buildInline({ Dockerfile }, { args: ['--unpack-limits', 'size=80kb'], env });
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/ERROR: The repository "http:.*huge.git" has more than 80000 bytes/);
});

test('machines with and without Git LFS never share a record', needs('git-lfs'), async () => {
  await commitLarge('lfs', 'large\n');
  const store = scratchDirectory('store');
  const build = (env: Record<string, string>, url = `${git.url}/lfs.git`) =>
    buildGood({ Dockerfile: `FROM scratch\nADD ${url} /\n` }, { store, env });
  const content = async (env: Record<string, string>) => (await build(env)).tree().readText('/x.bin');
  const having = await home('--force');
  expect(await content(having)).toBe('large\n');
  const pointer = /^version https:\/\/git-lfs\.github\.com\/spec\/v1\noid sha256:[0-9a-f]{64}\nsize 6\n$/;
  expect(await content(await home())).toMatch(pointer);
  expect(await content(await home('--skip-smudge'))).toMatch(pointer);
  expect(await content({ ...having, GIT_LFS_SKIP_SMUDGE: '1' })).toMatch(pointer);
  // A filter that is configured but not installed, and that git need not have.
  const absent = await home();
  writeFiles({ '.gitconfig': '[filter "lfs"]\n\tsmudge = git-lfs-absent smudge -- %f\n' }, absent.HOME);
  expect(await content(absent)).toMatch(pointer);
  expect(allCached(await build(having))).toBe(true);
});
