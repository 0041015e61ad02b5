import { readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bakeDirectory, imageTree, runBake } from '../../support/bake.ts';
import { startGitServer, type GitServer } from '../../support/git-server.ts';
import { statusOf, stepsIn } from '../../support/plain-progress.ts';
import { good, runTbuild } from '../../support/tbuild.ts';
import { startWebServer, type ListeningServer, type WebFile } from '../../support/web-server.ts';

const files = new Map<string, WebFile>();
let web: ListeningServer;
let git: GitServer;

beforeAll(async () => {
  web = await startWebServer(files);
  git = await startGitServer();
});
afterAll(() => Promise.all([web[Symbol.asyncDispose](), git[Symbol.asyncDispose]()]));

test('a repository gives the bake file and the contexts, and cwd:// is the directory here', async () => {
  await git.commit('shop', {
    'docker-bake.hcl':
      'target "default" {\n  context = "app"\n  contexts = { here = "cwd://." }\n  tags = ["remote/app"]\n}\n',
    'app/Dockerfile': 'FROM busybox\nCOPY there /there\nCOPY --from=here local /local\n',
    'app/there': 'there',
  });
  const bake = await runBake(bakeDirectory({ local: 'local' }), [`${git.url}/shop.git#main`]);
  expect(bake.exitCode, bake.stderr).toBe(0);
  expect(imageTree(bake, 'remote/app').readText('/there')).toBe('there');
  expect(imageTree(bake, 'remote/app').readText('/local')).toBe('local');
  const [fetched] = stepsIn(bake.stderr);
  expect(fetched).toEqual([`[internal] load git source ${git.url}/shop.git#main`, 'done']);
});

test('a file on a server is a bake file for the contexts here', async () => {
  files.set('/bake.hcl', { body: 'target "default" { tags = ["remote/file"] }\n' });
  const bake = await runBake(bakeDirectory({ Dockerfile: 'FROM busybox\nCOPY a /a\n', a: 'a' }), [
    `${web.url}/bake.hcl`,
  ]);
  expect(bake.exitCode, bake.stderr).toBe(0);
  expect(imageTree(bake, 'remote/file').readText('/a')).toBe('a');
  expect(statusOf(bake.stderr, '[internal] load remote build context')).toBe('done');
});

test('a file that cannot be fetched is a failed step and one error', async () => {
  const bake = await runBake(bakeDirectory({ a: '' }), [`${web.url}/none.hcl`]);
  expect(bake.exitCode).toBe(1);
  expect(statusOf(bake.stderr, '[internal] load remote build context')).toBe('error');
  expect(bake.stderr.match(/^ERROR: /gm)).toHaveLength(1);
});

test('a link in a repository shows no file of this machine', async () => {
  await git.commit('evil', { README: 'x' });
  const work = join(git.directory, 'work/evil');
  symlinkSync('/etc/passwd', join(work, 'docker-bake.hcl'));
  await git.git('evil', 'add', '--all');
  await git.git('evil', 'commit', '--quiet', '--message', 'link');
  const bake = await runBake(bakeDirectory({ a: '' }), [`${git.url}/evil.git`, '--print']);
  expect(bake.exitCode).toBe(1);
  expect(bake.stderr).not.toContain('root:');
});

test('standard input, -f in order and cwd:// name files', async () => {
  const directory = bakeDirectory({ 'a.hcl': 'target "default" { args = { A = "a", B = "a" } }\n' });
  const input = '{"target": {"default": {"args": {"B": "stdin"}}}}';
  const { stdout } = good(
    await runTbuild(['bake', '--print', '-f', 'cwd://a.hcl', '-f', '-'], { cwd: directory, input }),
  );
  expect(JSON.parse(stdout).target.default.args).toEqual({ A: 'a', B: 'stdin' });
});

test('--print needs neither the secrets nor the agents of the targets', async () => {
  const cwd = bakeDirectory({
    'docker-bake.hcl': 'target "default" {\n  secret = ["id=a,src=absent"]\n  ssh = ["default"]\n}\n',
  });
  const env = { SSH_AUTH_SOCK: '' };
  expect(JSON.parse(good(await runTbuild(['bake', '--print'], { cwd, env })).stdout).target.default).toMatchObject({
    secret: [{ id: 'a', src: 'absent' }],
    ssh: [{ id: 'default' }],
  });
  expect((await runTbuild(['bake'], { cwd, env })).stderr).toContain('stands for the agent at $SSH_AUTH_SOCK');
  const mistaken = await runTbuild(['bake', '--print', '--set', '*.annotations=a'], { cwd, env });
  expect(mistaken.stderr).toContain('Target "default": Invalid value "a" of annotations: expected NAME=VALUE');
});

test('BUILDX_BAKE_FILE names the files, and BUILDX_BAKE_FILE_SEPARATOR is between them', async () => {
  const cwd = bakeDirectory({
    'a.hcl': 'target "default" { args = { A = "a", B = "a" } }\n',
    'b.hcl': 'target "default" { args = { B = "b" } }\n',
  });
  const argsOf = async (env: Readonly<Record<string, string>>) =>
    JSON.parse(good(await runTbuild(['bake', '--print'], { cwd, env })).stdout).target.default.args;
  expect(await argsOf({ BUILDX_BAKE_FILE: 'b.hcl:a.hcl' })).toEqual({ A: 'a', B: 'a' });
  expect(await argsOf({ BUILDX_BAKE_FILE: 'a.hcl,b.hcl', BUILDX_BAKE_FILE_SEPARATOR: ',' })).toEqual({
    A: 'a',
    B: 'b',
  });
});

test('BUILDX_BAKE_ENTITLEMENTS_FS=0 lets targets read files outside of the directory', async () => {
  const outside = bakeDirectory({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
  const cwd = bakeDirectory({ 'docker-bake.hcl': `target "default" { context = "${outside}" }\n` });
  const refused = await runTbuild(['bake'], { cwd });
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(`fs.read=${outside}`) });
  good(await runTbuild(['bake'], { cwd, env: { BUILDX_BAKE_ENTITLEMENTS_FS: '0' } }));
});

const FROM_CONTEXTS = '"dockerfile-inline": "FROM scratch\\nCOPY --from=x . /"';

test.each<[string, 'read' | 'write', (outside: string) => string]>([
  ['an output behind a link', 'write', () => '"output": ["type=local,dest=link"]'],
  ['an output below a link', 'write', () => '"output": ["type=tar,dest=link/a.tar"]'],
  ['an output at a link to nothing', 'write', () => '"output": ["type=tar,dest=dangling"]'],
  ['a cache behind a link', 'write', () => '"cache-to": ["type=local,dest=link"]'],
  ['another spelling of dest', 'write', (outside) => `"output": [{"type": "local", "DEST": "${outside}"}]`],
  ['a key that holds a value', 'write', (outside) => `"output": [{"type": "local", "dest=${outside}/x": "y"}]`],
  ['a context behind a link', 'read', () => '"context": "link"'],
  ['a named context behind a link', 'read', () => `"contexts": {"x": "link"}, ${FROM_CONTEXTS}`],
  ['a layout behind a link', 'read', () => `"contexts": {"x": "oci-layout://link:1"}, ${FROM_CONTEXTS}`],
  ['a directory github.com', 'read', () => `"contexts": {"x": "github.com/../link"}, ${FROM_CONTEXTS}`],
  ['a context like an address', 'read', () => '"context": "git@x/../link"'],
  ['a context like a target', 'read', () => '"context": "target:x/../link"'],
  ['a Dockerfile like an address', 'read', (outside) => `"dockerfile": "git@x/../../${basename(outside)}/Dockerfile"`],
  ['a Dockerfile above the context', 'read', (outside) => `"dockerfile": "../${basename(outside)}/Dockerfile"`],
  ['a Dockerfile behind a link', 'read', () => '"dockerfile": "link/Dockerfile"'],
  ['a secret behind a link', 'read', () => '"secret": ["id=x,src=link/Dockerfile"]'],
  ['a secret whose id is its path', 'read', (outside) => `"secret": ["id=${outside}/Dockerfile"]`],
  ['a cache to read behind a link', 'read', () => '"cache-from": ["type=local,src=link"]'],
])('%s needs permission to %s outside of the directory', async (_, kind, attributes) => {
  const outside = bakeDirectory({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
  const cwd = bakeDirectory({
    Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n',
    'github.com/x': '',
    'docker-bake.json': `{"target": {"default": {${attributes(outside)}}}}`,
  });
  symlinkSync(outside, join(cwd, 'link'));
  symlinkSync(join(outside, 'none'), join(cwd, 'dangling'));
  const bake = await runTbuild(['bake'], { cwd });
  expect(bake).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(`"fs.${kind}=${outside}`) });
  expect(readdirSync(outside)).toEqual(['Dockerfile']);
});

test('no output leads out of the directory through a link that another one makes', async () => {
  const outside = bakeDirectory({});
  const cwd = bakeDirectory({
    Dockerfile: 'FROM scratch\nCOPY tree /\n',
    'tree/file': '',
    'docker-bake.hcl': 'target "default" {\n  output = ["out", "type=tar,dest=out/link/b.tar"]\n}\n',
  });
  symlinkSync(outside, join(cwd, 'tree/link'));
  const bake = await runTbuild(['bake'], { cwd });
  expect(bake.exitCode).toBe(2);
  expect(bake.stderr).toContain('a link that came during the build leads to');
  expect(readdirSync(outside)).toEqual([]);
});

test('a working directory behind a link, and a granted one, hold what is in their targets', async () => {
  const [outside, cwd] = [bakeDirectory({}), bakeDirectory({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' })];
  writeFileSync(join(cwd, 'docker-bake.hcl'), 'target "default" {\n  output = ["out", "granted/out"]\n}\n');
  symlinkSync(outside, join(cwd, 'granted'));
  const place = bakeDirectory({});
  symlinkSync(cwd, join(place, 'here'));
  good(await runTbuild(['bake', '--allow', 'fs.write=granted'], { cwd: join(place, 'here') }));
  expect(readdirSync(join(outside, 'out'))).toEqual(['Dockerfile']);
});

test.each([
  [['-f', 'none.hcl'], 'The bake file "none.hcl" does not exist'],
  [[], 'There is no bake file here'],
])('bake %j without its file fails with %j', async (args, message) => {
  const bake = await runTbuild(['bake', ...args], { cwd: bakeDirectory({ a: '' }) });
  expect(bake).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(`ERROR: ${message}`) });
});

test('targets, variables and overrides are completed', async () => {
  const cwd = bakeDirectory({
    'docker-bake.hcl': 'variable "TAG" {}\ngroup "default" { targets = ["web"] }\ntarget "web" {}\ntarget "_base" {}\n',
  });
  const complete = async (...words: string[]): Promise<string[]> => {
    const { stdout } = good(await runTbuild(['__complete', 'bake', ...words], { cwd }));
    return stdout.split('\n').flatMap((line) => line.split('\t')[0] || []);
  };
  expect(await complete('')).toEqual(['default', 'web']);
  expect(await complete('--var', '')).toEqual(['TAG=']);
  expect(await complete('--set', 'web.plat')).toEqual(['web.platform']);
  expect(await complete('--list', 'v')).toEqual(['variables']);
});
