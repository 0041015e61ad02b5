import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGitServer, type GitServer } from '../../support/git-server.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { good, runTbuild, writeFiles } from '../../support/tbuild.ts';
import { startWebServer, type ListeningServer } from '../../support/web-server.ts';

let server: ListeningServer;
let git: GitServer;
beforeAll(async () => {
  server = await startWebServer(new Map([['/file', { body: 'content\n' }]]));
  git = await startGitServer();
});
afterAll(() => Promise.all([server[Symbol.asyncDispose](), git[Symbol.asyncDispose]()]));

interface Provenance {
  readonly buildDefinition: {
    readonly externalParameters: { readonly configSource: object; readonly request: { readonly args: object } };
    readonly resolvedDependencies: readonly object[];
  };
  readonly runDetails: { readonly metadata: { readonly buildkit_metadata: { readonly vcs?: object } } };
}

/** Returns the text of the statement about each platform's image, in order. */
async function statements(context: string, ...args: readonly string[]): Promise<readonly string[]> {
  const layout = join(scratchDirectory('layout'), 'image');
  good(
    await runTbuild(['build', '-o', `type=oci,tar=false,dest=${layout}`, '--provenance=mode=max', ...args, context]),
  );
  const read = (digest: string): string => readFileSync(join(layout, 'blobs', digest.replace(':', '/')), 'utf8');
  const found: string[] = [];
  const visit = (digest: string): void => {
    const { manifests = [], layers = [] } = JSON.parse(read(digest));
    for (const { digest: child } of manifests) visit(child);
    for (const { digest: layer, mediaType } of layers) if (mediaType.includes('in-toto')) found.push(read(layer));
  };
  for (const { digest } of JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')).manifests) visit(digest);
  return found;
}

const predicateOf = (text = ''): Provenance => JSON.parse(text).predicate;

test('provenance has the commit of a git context and the digests of what was added', needs('git'), async () => {
  const Dockerfile = `FROM scratch\nADD ${server.url}/file /f\nADD ${git.url}/lib.git /lib\nCOPY a /a\n`;
  const [lib, app] = [
    await git.commit('lib', { l: 'l\n' }),
    await git.commit('app', { 'sub/Dockerfile': Dockerfile, 'sub/a': 'a\n' }),
  ];
  const { buildDefinition } = predicateOf((await statements(`${git.url}/app.git#main:sub`))[0]);
  expect(buildDefinition.externalParameters.configSource).toEqual({
    uri: `${git.url}/app.git#main:sub`,
    digest: { sha1: app },
    path: 'Dockerfile',
  });
  expect(buildDefinition.resolvedDependencies).toEqual([
    { uri: `${server.url}/file`, digest: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) } },
    { uri: `${git.url}/lib.git`, digest: { sha1: lib } },
    { uri: `${git.url}/app.git#main`, digest: { sha1: app } },
  ]);
});

test('provenance of a local repository has its revision, and no path of this machine', needs('git'), async () => {
  const context = writeFiles({ 'app/Dockerfile': 'FROM scratch\nCOPY a /\nCOPY --from=docs d /\n', 'app/a': 'a\n' });
  const docs = writeFiles({ d: 'd\n' });
  const run = (...args: readonly string[]) =>
    runChecked('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.invalid', ...args], { cwd: context });
  await run('init', '--quiet', '--initial-branch', 'main');
  await run('remote', 'add', 'origin', 'https://user:hunter2@example.org/app.git');
  await run('add', '.');
  await run('commit', '--quiet', '-m', 'x');
  const revision = (await run('rev-parse', 'HEAD')).trim();
  const build = async () => (await statements(join(context, 'app'), '--build-context', `docs=${docs}`))[0] ?? '';
  const text = await build();
  const vcs = { source: 'https://example.org/app.git', revision, 'localdir:context': 'app' };
  expect(predicateOf(text).runDetails.metadata.buildkit_metadata.vcs).toEqual(vcs);
  expect(predicateOf(text).buildDefinition.externalParameters.request).toMatchObject({
    args: { 'context:docs': 'local:docs' },
    locals: [{ name: 'context' }, { name: 'dockerfile' }, { name: 'docs' }],
  });
  for (const path of [context, docs, 'hunter2']) expect(text).not.toContain(path);
  writeFiles({ 'app/new': 'new\n' }, context);
  expect(predicateOf(await build()).runDetails.metadata.buildkit_metadata.vcs).toMatchObject({
    revision: `${revision}-dirty`,
  });
});

test('each platform has the provenance of its own steps', async () => {
  const Dockerfile = [
    'FROM scratch AS amd64',
    `ADD ${server.url}/file /f`,
    'FROM scratch AS arm64',
    'COPY Dockerfile /d',
    'FROM $TARGETARCH',
    '',
  ].join('\n');
  const found = await statements(writeFiles({ Dockerfile }), '--platform', 'linux/amd64,linux/arm64');
  expect(found.map((text) => predicateOf(text).buildDefinition.resolvedDependencies.length)).toEqual([1, 0]);
});
