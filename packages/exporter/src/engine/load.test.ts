import { createMemoryStore } from '@tbuild/content';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { docker, startDocker, type Docker } from '../../../../test/support/docker.ts';
import { needs } from '../../../../test/support/requirements.ts';
import { arm64, noReport, noSignal, testResult } from '../test-image.ts';
import { dockerLoad, load, podmanLoad, type RunProgram } from './load.ts';

const noEngine = 'unix:///proc/none/docker.sock';

describe('into a running Docker', needs('docker'), () => {
  let engine: Docker;
  beforeAll(async () => {
    engine = await startDocker();
  });
  afterAll(() => engine[Symbol.asyncDispose]());

  test('Docker lists a loaded image under all its names', async () => {
    const result = await testResult(['app:1', 'app:2']);
    await dockerLoad({ host: engine.host }).export(result, noReport, noSignal);
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
    await expect(dockerLoad({ host: engine.host }).export(broken, noReport, noSignal)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('an image that Docker has gets its names without its layers', async () => {
    const named = await testResult(['again:1', 'again:2']);
    await dockerLoad({ host: engine.host }).export(await testResult(['app:4']), noReport, noSignal);
    await dockerLoad({ host: engine.host }).export({ ...named, content: createMemoryStore() }, noReport, noSignal);
    const ids = await docker(engine.host, ['inspect', '--format', '{{.Id}}', 'app:4', 'again:1', 'again:2']);
    expect(new Set(ids.trim().split('\n')).size).toBe(1);
  });

  test('load prefers Docker to Podman', async () => {
    const run: RunProgram = () => Promise.reject(new Error('Podman was asked'));
    const exported = await load({ dockerHost: engine.host, run }).export(
      await testResult(['app:3']),
      noReport,
      noSignal,
    );
    expect(exported.destination).toBe(`app:3 in Docker at ${engine.host}`);
  });
});

/** Programs by what they answer; records what came in. */
function programs(answers: Readonly<Record<string, { exitCode: number; output: string }>>): {
  run: RunProgram;
  bytes: () => number;
} {
  let bytes = 0;
  const run: RunProgram = async (args, { input }) => {
    const answer = answers[args.slice(0, 2).join(' ')];
    if (answer === undefined) throw new Error(`${args[0]} is not installed`);
    for await (const chunk of input ?? []) bytes += chunk.length;
    return answer;
  };
  return { run, bytes: () => bytes };
}

test('load uses Podman when Docker does not answer', async () => {
  const { run, bytes } = programs({
    'podman --version': { exitCode: 0, output: '' },
    'podman load': { exitCode: 0, output: '' },
  });
  const exported = await load({ dockerHost: noEngine, run }).export(await testResult(['app:1']), noReport, noSignal);
  expect(exported.destination).toBe('app:1 in Podman');
  expect(bytes()).toBeGreaterThan(5000);
});

test('load without Docker and Podman fails with the error of Docker', async () => {
  const loading = load({ dockerHost: noEngine, run: programs({}).run }).export(
    await testResult(['app:1']),
    noReport,
    noSignal,
  );
  await expect(loading).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: `Docker does not answer at ${noEngine}`,
    hint: expect.stringContaining('Start Docker'),
  });
});

test('load does not use Podman in place of a Docker that the user named', async () => {
  const { run } = programs({
    'podman --version': { exitCode: 0, output: '' },
    'podman load': { exitCode: 0, output: '' },
  });
  const loading = load({ dockerHost: noEngine, dockerOnly: true, run }).export(
    await testResult(['app:1']),
    noReport,
    noSignal,
  );
  await expect(loading).rejects.toMatchObject({ code: 'UNSUPPORTED' });
});

test('an error of Podman holds its output', async () => {
  const { run } = programs({ 'podman load': { exitCode: 125, output: 'no space left on device\n' } });
  const loading = podmanLoad({ run }).export(await testResult(['app:1']), noReport, noSignal);
  await expect(loading).rejects.toMatchObject({
    code: 'PROCESS_FAILED',
    message: 'podman load exited with code 125: no space left on device',
  });
});

test('an address of Docker with an unknown scheme fails with a hint', async () => {
  const loading = dockerLoad({ host: 'ssh://me@host' }).export(await testResult(['app:1']), noReport, noSignal);
  await expect(loading).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    hint: 'Use -o type=docker,dest=image.tar and docker --host ssh://me@host load',
  });
});
