import { createLocalStore, createMemoryStore } from '@tbuild/content';
import type { Programs } from '@tbuild/engine';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { docker, startDocker, type Docker } from '../../../../test/support/docker.ts';
import { needs } from '../../../../test/support/requirements.ts';
import { scratchDirectory } from '../../../../test/support/scratch.ts';
import { arm64, noReport, noSignal, testResult } from '../test-image.ts';
import { load, type LoadOptions } from './load.ts';

const none = { host: 'unix:///proc/none/docker.sock', isChosen: false };
const noPrograms: Programs = { cwd: '/', run: ([name]) => Promise.reject(new Error(`${name} was asked`)) };

const loading = async (options: Partial<LoadOptions>, names: readonly string[] = ['app:1']) =>
  load({
    docker: none,
    programs: noPrograms,
    content: createLocalStore(scratchDirectory('content')),
    directory: scratchDirectory('run'),
    ...options,
  }).export(await testResult(names), noReport, noSignal);

describe('into a running Docker', needs('docker'), () => {
  let engine: Docker;
  beforeAll(async () => {
    engine = await startDocker();
  });
  afterAll(() => engine[Symbol.asyncDispose]());

  test('Docker lists a loaded image under all its names', async () => {
    const exported = await loading({ docker: { host: engine.host, isChosen: false } }, ['app:1', 'app:2']);
    expect(exported.destination).toBe(`app:1, app:2 in Docker at ${engine.host}`);
    const images = await docker(engine.host, ['images', '--format', '{{.Repository}}:{{.Tag}}']);
    expect(images.trim().split('\n').sort()).toEqual(['app:1', 'app:2']);
    const config = await docker(engine.host, [
      'inspect',
      '--format',
      '{{json .Config.Cmd}} {{len .RootFS.Layers}}',
      'app:1',
    ]);
    expect(config.trim()).toBe('["/hello"] 2');
  });

  test('a missing blob is reported, not the connection that it breaks', async () => {
    // Docker has no image for this platform.
    const broken = { ...(await testResult(['app'], [arm64])), content: createMemoryStore() };
    const exporter = load({
      docker: { host: engine.host, isChosen: true },
      programs: noPrograms,
      content: createLocalStore(scratchDirectory('content')),
      directory: scratchDirectory('run'),
    });
    await expect(exporter.export(broken, noReport, noSignal)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('an image that Docker has gets its names without its layers', async () => {
    const into = (): LoadOptions => ({
      docker: { host: engine.host, isChosen: true },
      programs: noPrograms,
      content: createLocalStore(scratchDirectory('content')),
      directory: scratchDirectory('run'),
    });
    const named = { ...(await testResult(['again:1', 'again:2'])), content: createMemoryStore() };
    await load(into()).export(await testResult(['app:4']), noReport, noSignal);
    await load(into()).export(named, noReport, noSignal);
    const ids = await docker(engine.host, ['inspect', '--format', '{{.Id}}', 'app:4', 'again:1', 'again:2']);
    expect(new Set(ids.trim().split('\n')).size).toBe(1);
  });
});

/** Programs by what they answer; records what came in. */
function programs(answers: Readonly<Record<string, { exitCode: number; output: string }>>) {
  let bytes = 0;
  const run: Programs['run'] = async (args, { input }) => {
    const words = args[0] === 'env' ? args.slice(2) : args;
    const answer = answers[words.slice(0, 2).join(' ')];
    if (answer === undefined) throw new Error(`${args[0]} is not installed`);
    for await (const chunk of input instanceof Uint8Array ? [] : (input ?? [])) bytes += chunk.length;
    return { exitCode: answer.exitCode, stdout: Buffer.alloc(0), stderr: Buffer.from(answer.output) };
  };
  return { programs: { run, cwd: '/' }, bytes: () => bytes };
}

const podman = {
  'podman --version': { exitCode: 0, output: '' },
  'podman pull': { exitCode: 125, output: 'no such file or directory' },
  'podman load': { exitCode: 0, output: '' },
};

test('load uses Podman when Docker does not answer, and sends it all where it cannot read the store', async () => {
  const { programs: installed, bytes } = programs(podman);
  const exported = await loading({ programs: installed });
  expect(exported.destination).toBe('app:1 in Podman');
  expect(bytes()).toBeGreaterThan(5000);
});

test('load without Docker and Podman fails with the error of Docker', async () => {
  await expect(loading({ programs: programs({}).programs })).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: `Docker does not answer at ${none.host}`,
    hint: expect.stringContaining('Start Docker'),
  });
});

test('load does not use Podman in place of a Docker that the user named', async () => {
  const named = { ...none, isChosen: true };
  await expect(loading({ docker: named, programs: programs(podman).programs })).rejects.toMatchObject({
    code: 'UNSUPPORTED',
  });
});

test('an error of Podman holds its output', async () => {
  const { programs: full } = programs({
    'podman pull': { exitCode: 125, output: 'no space left on device\n' },
    'podman load': { exitCode: 125, output: 'no space left on device\n' },
  });
  await expect(loading({ engineName: 'podman', programs: full })).rejects.toMatchObject({
    code: 'PROCESS_FAILED',
    message: 'podman load exited with code 125: no space left on device',
  });
});

test('an address of Docker with an unknown scheme fails with a hint', async () => {
  const docker = { host: 'npipe:////./pipe/docker', isChosen: true };
  await expect(loading({ docker })).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    hint: 'Use -o type=docker,dest=image.tar and docker --host npipe:////./pipe/docker load',
  });
});
