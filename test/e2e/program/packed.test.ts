import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { baseImage } from '../../support/base-images.ts';
import { processesNaming } from '../../support/leftovers.ts';
import { patiently } from '../../support/patience.ts';
import { runChecked, runProcess } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { writeFiles } from '../../support/tbuild.ts';

const repository = join(import.meta.dirname, '../../..');
const tarballs = scratchDirectory('packed');
const project = scratchDirectory('project');

/** A tool as its author would write it. */
const TOOL = `
import { build, BuildError, type BuildSpec, type ProgressEvent } from '@tbuild/api';

const [context = '', layout = '', root = '', seconds] = process.argv.slice(2);
const spec: BuildSpec = { context, contexts: { busybox: \`oci-layout://\${layout}\` }, tags: ['packed:1'] };

if (seconds !== undefined) {
  await build({ ...spec, dockerfile: { text: \`FROM busybox\\nRUN sleep \${seconds}\\n\` } }, { root });
}

const events: ProgressEvent[] = [];
const { id, manifest, names, images } = await build(spec, { root, onEvent: (event) => events.push(event) });
const platform: string | undefined = images[0]?.platform.architecture;
const log = events.map((event) => (event.type === 'log' ? new TextDecoder().decode(event.data) : '')).join('');

const codeOf = (error: unknown) => (error instanceof BuildError ? error.code : String(error));
const controller = new AbortController();
const cancelled = await build(
  { ...spec, dockerfile: { text: 'FROM busybox\\nRUN echo begun; sleep 100\\n' } },
  { root, signal: controller.signal, onEvent: ({ type }) => type === 'log' && controller.abort() },
).catch(codeOf);
const broken = await build({ ...spec, dockerfile: { text: 'FROM busybox\\nCOPPY a b\\n' } }, { root }).catch(codeOf);

// @ts-expect-error a field of another type
const tags: BuildSpec = { context, tags: 'one' };
// @ts-expect-error an output that there is not
const output: BuildSpec = { context, outputs: [{ type: 'oci', dst: 'a.tar' }] };
// @ts-expect-error a field that there is not
const field: BuildSpec = { contxt: '.', context };

console.log(JSON.stringify({ id, digest: manifest?.digest, names, platform, log, cancelled, broken, wrong: [tags, output, field].length }));
`;

const COMPILER_OPTIONS = {
  target: 'es2023',
  module: 'nodenext',
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  outDir: 'out',
  types: ['node'],
  typeRoots: [join(repository, 'node_modules/@types')],
};

beforeAll(async () => {
  await runChecked(process.execPath, [join(repository, 'pack.mjs'), tarballs]);
  // Stands for the registry; npm accepts the koffi that is already installed.
  for (const name of ['koffi', '@koromix'])
    cpSync(join(repository, 'node_modules', name), join(project, 'node_modules', name), { recursive: true });
  writeFiles(
    {
      'package.json': JSON.stringify({ private: true, type: 'module' }),
      'tsconfig.json': JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files: ['tool.ts'] }),
      'tool.ts': TOOL,
    },
    project,
  );
  const files = readdirSync(tarballs).map((name) => join(tarballs, name));
  const quiet = ['--offline', '--no-audit', '--no-fund', '--no-update-notifier', '--cache', scratchDirectory('npm')];
  await runChecked('npm', ['install', ...quiet, ...files], { cwd: project });
  await runChecked(join(repository, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.json'], { cwd: project });
});

function manifestOf(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(project, 'node_modules', name, 'package.json'), 'utf8'));
}

test('the packed packages depend only on each other and on third parties, and contain no local paths', async () => {
  const { version } = manifestOf('@tbuild/cli');
  expect(Object.keys(manifestOf('@tbuild/cli').dependencies ?? {})).toEqual(['koffi']);
  expect(manifestOf('@tbuild/api').dependencies).toEqual({ '@tbuild/cli': version });
  expect(readdirSync(join(project, 'node_modules/@tbuild/api/dist')).toSorted()).toEqual(['index.d.ts', 'index.js']);
  const { exitCode, stdout } = await runProcess('grep', ['-rl', repository, 'node_modules/@tbuild'], {
    cwd: project,
  });
  expect([exitCode, stdout]).toEqual([1, '']);
});

test('the installed program runs', async () => {
  expect(await runChecked('node_modules/.bin/tbuild', ['--version'], { cwd: project })).toBe(
    `tbuild ${manifestOf('@tbuild/cli').version}\n`,
  );
});

test('the package cannot be installed on Windows itself, and says so', async () => {
  const { preinstall } = Object(manifestOf('@tbuild/cli').scripts);
  const windows = writeFiles({ 'win.cjs': "Object.defineProperty(process, 'platform', { value: 'win32' });\n" });
  const install = (env: Record<string, string>) =>
    runProcess('sh', ['-c', preinstall], { cwd: join(project, 'node_modules/@tbuild/cli'), env });
  expect(await install({})).toMatchObject({ exitCode: 0, stderr: '' });
  const { exitCode, stderr } = await install({ NODE_OPTIONS: `--require=${windows}/win.cjs` });
  expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/^tbuild: On Windows, tbuild runs inside WSL: .*\n$/)]);
});

test('a type-checked tool builds, receives events, cancels and catches errors', async () => {
  const context = writeFiles({ Dockerfile: 'FROM busybox\nCOPY a /\nRUN echo hello\n', a: '' });
  const output = await runChecked(
    process.execPath,
    ['out/tool.js', context, baseImage('busybox'), scratchDirectory('store')],
    {
      cwd: project,
    },
  );
  const digest = expect.stringMatching(/^sha256:[0-9a-f]{64}$/);
  expect(JSON.parse(output)).toEqual({
    id: digest,
    digest,
    names: ['docker.io/library/packed:1'],
    platform: expect.any(String),
    log: 'hello\n',
    cancelled: 'CANCELLED',
    broken: 'DOCKERFILE_SYNTAX',
    wrong: 3,
  });
});

test('killing a tool ends its build', async () => {
  const seconds = `54${Math.floor(Math.random() * 1e6)}`;
  const args = ['out/tool.js', project, baseImage('busybox'), scratchDirectory('store'), seconds];
  const isRunning = () => processesNaming(`sleep\0${seconds}`).length > 0;
  const { exitCode } = await runProcess(process.execPath, args, {
    cwd: project,
    onStart: (child) =>
      void vi.waitFor(() => expect(isRunning()).toBe(true), patiently).finally(() => child.kill('SIGKILL')),
  });
  expect(exitCode).toBe(137);
  await vi.waitFor(() => expect(isRunning()).toBe(false), patiently);
});
