import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  BuildError,
  check,
  diskUsage,
  images,
  prune,
  removeImage,
  type BuildSpec,
  type ProgressEvent,
} from '@tbuild/api';
import { describe, expect, test, vi } from 'vitest';
import { builders } from '../../support/builders.ts';
import { callBuild, storeOptions, type CalledBuildOptions } from '../../support/call-tbuild.ts';
import { imageWithId } from '../../support/layout.ts';
import { mountsNaming, processesNaming } from '../../support/leftovers.ts';
import { patiently } from '../../support/patience.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { defaultStore, runTbuild, userDirectory, writeFiles } from '../../support/tbuild.ts';
import { problemsOf } from '../../support/validate-image.ts';

/** Returns the error of a build that must fail. */
async function failureOf(spec: BuildSpec, options?: CalledBuildOptions): Promise<BuildError> {
  const error = await callBuild(spec, options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof BuildError) return error;
  throw new Error('The build did not fail as expected', { cause: error });
}

const hello = (): string =>
  writeFiles({ Dockerfile: 'FROM busybox\nARG WHO\nRUN echo hello $WHO\nCOPY a /\n', a: 'a' });

describe.each(builders)('a build through the API by $who', ({ asUser }) => {
  test('returns the image, its documents and names, and reports each step', async () => {
    const events: ProgressEvent[] = [];
    const onEvent = (event: ProgressEvent): void => void events.push(event);
    const spec = { context: hello(), tags: ['called:1', 'registry.example/called:2'], buildArgs: { WHO: 'caller' } };
    const { id, images, manifest, names, metadata } = await callBuild(spec, { asUser, onEvent });

    const image = imageWithId(defaultStore(asUser), id);
    expect(problemsOf(image)).toEqual([]);
    expect(images).toMatchObject([{ platform: { os: 'linux' }, config: id, manifest: manifest?.digest }]);
    expect(names).toEqual(['docker.io/library/called:1', 'registry.example/called:2']);
    expect(metadata).toMatchObject({ 'containerimage.digest': manifest?.digest, 'image.name': names.join() });

    const step = events
      .flatMap((event) => (event.type === 'planned' ? event.steps : []))
      .find(({ name }) => /RUN/.test(name));
    const told = events.filter((event) => 'step' in event && event.step === step?.id);
    expect(told.map(({ type }) => type)).toEqual(['waiting', 'started', 'log', 'finished']);
    expect(told).toContainEqual(expect.objectContaining({ data: Buffer.from('hello caller\n'), stream: 'stdout' }));
  });

  test('is cancelled as by Ctrl-C and leaves nothing behind', async () => {
    const marker = `53${Math.floor(Math.random() * 1e6)}`;
    const root = asUser ? userDirectory('store') : scratchDirectory('store');
    const controller = new AbortController();
    const context = writeFiles({ Dockerfile: `FROM busybox\nRUN echo begun; sleep ${marker}\n` });
    const onEvent = (event: ProgressEvent): void => {
      if (event.type === 'log') controller.abort('enough');
    };
    const error = await failureOf({ context }, { asUser, root, onEvent, signal: controller.signal });
    expect(error).toMatchObject({ code: 'CANCELLED', cause: 'enough' });
    expect(processesNaming(marker)).toEqual([]);
    expect(mountsNaming(root)).toEqual([]);
    expect(readdirSync(join(root, 'leases'))).toEqual([]);
  });

  test('waits for a slow caller, so that a flood of output fills no memory', async () => {
    const size = `${8 * 2 ** 20 + Math.floor(Math.random() * 1e6)}`;
    const context = writeFiles({ Dockerfile: `FROM busybox\nRUN yes | head -c ${size}\n` });
    let bytes = 0;
    const onEvent = async (event: ProgressEvent): Promise<void> => {
      if (event.type !== 'log') return;
      if (bytes === 0) {
        await untilIdle();
        expect(processesNaming(size)).not.toEqual([]);
      }
      bytes += event.data.length;
    };
    await callBuild({ context }, { asUser, onEvent });
    expect(bytes).toBe(Number(size));
  });
});

/** Waits until the program that this process called is idle. */
async function untilIdle(): Promise<void> {
  const pid = processesNaming('\0--api').find((one) => statOf(one)[1] === String(process.pid));
  if (pid === undefined) throw new Error('The program does not run');
  const usedTime = (): string => statOf(pid).slice(11, 13).join();
  for (let before = '', same = 0; same < 5; before = usedTime()) {
    await sleep(20);
    same = usedTime() === before ? same + 1 : 0;
  }
}

/** The fields of /proc/PID/stat after the name: state, parent, … */
function statOf(pid: number): readonly string[] {
  if (!existsSync(`/proc/${pid}/stat`)) return [];
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

const mistakes: readonly [name: string, spec: object, says: string, hint?: string][] = [
  ['a field that is unknown', { contxt: '.' }, 'Unknown field "contxt"', 'Did you mean "context"?'],
  ['a field that is missing', { tags: [] }, 'Field "context" must be a text, not undefined'],
  ['a field of another type', { context: '.', tags: 'a' }, 'Field "tags" must be an array, not "a"'],
  ['an entry of another type', { context: '.', tags: ['a', 1] }, 'Field "tags[1]" must be a text, not 1'],
  ['a variable that is not set', { context: '.', buildArgs: { A: undefined } }, 'Field "buildArgs.A" must be a text'],
  ['a value that is not valid', { context: '.', platforms: ['a/b/c/d'] }, 'Platform "a/b/c/d" is not of the form'],
  [
    'an unknown option',
    { context: '.', outputs: [{ type: 'oci', dst: 'x' }] },
    'no option "dst"',
    'Did you mean dest=?',
  ],
  ['standard output', { context: '.', outputs: [{ type: 'tar' }] }, 'Output type tar needs a dest'],
  ['standard input', { context: '-' }, 'Field "context" must be a path or a URL, not "-"'],
  ['a nested field', { context: '.', dockerfile: { txt: '' } }, 'Field "dockerfile.text" must be a text'],
  ['what is no data', { context: '.', onEvent() {} }, 'must be plain data'],
];

test.each(mistakes)('%s is rejected by name', async (_name, spec, says, hint) => {
  const error = await failureOf(spec as BuildSpec, { images: [] });
  expect(error.code).toBe('USAGE');
  expect(error.message).toContain(says);
  if (hint !== undefined) expect(error.hint).toBe(hint);
});

test('an error in the Dockerfile has its code, location and hint, and the report of the command line', async () => {
  const text = 'FROM busybox\nCOPY a\n';
  const error = await failureOf({ context: scratchDirectory('context'), dockerfile: { text } });
  expect(error).toMatchObject({
    code: 'DOCKERFILE_SYNTAX',
    hint: 'Write the destination as the last argument',
    location: { file: 'Dockerfile', start: { line: 2, column: 1 } },
  });
  expect(error.report).toContain('>>> COPY a');
});

test('every field of the API reaches its option', async () => {
  const context = writeFiles({
    Dockerfile: 'FROM busybox\nCOPY --from=other f /\nRUN id -u; ulimit -n; cat /run/secrets/s\n',
    f: '',
  });
  const text = `FROM busybox AS a
LABEL base=1
FROM a AS b
COPY --from=other "f,1" /
RUN --mount=type=secret,id=s,required ulimit -n; grep -c other.example /etc/hosts; df /dev/shm | grep -c 4096; wc -c < /run/secrets/s
FROM scratch
`;
  const place = scratchDirectory('output');
  const log: string[] = [];
  const { images, manifest, destinations } = await callBuild(
    {
      context,
      dockerfile: { text },
      contexts: { other: writeFiles({ 'f,1': '' }) },
      target: 'b',
      platforms: ['linux/amd64'],
      labels: { 'a,b': 'c="d"' },
      annotations: { 'index:org.example.a': 'x,y' },
      outputs: [
        {
          type: 'oci',
          dest: join(place, 'a,b.tar'),
          name: ['x:1', 'y:2'],
          compression: 'uncompressed',
          'annotation.one': '1',
        },
        { type: 'local', dest: join(place, 'tree') },
        'type=cacheonly',
      ],
      noCache: ['b'],
      cacheTo: [{ type: 'local', dest: join(place, 'cache'), mode: 'max' }],
      extraHosts: ['other.example:10.0.0.1'],
      shmSize: '4m',
      ulimits: { nofile: 77, core: { soft: 0, hard: 5 } },
      provenance: { mode: 'min' },
      jobs: 1,
      timeout: '5m',
    },
    {
      secrets: { s: new Uint8Array(7) },
      onEvent: (event) => void (event.type === 'log' && log.push(String(event.data))),
    },
  );
  expect(log.join('')).toBe('77\n1\n1\n7\n');
  expect(destinations).toEqual([join(place, 'a,b.tar'), join(place, 'tree')]);
  expect(readdirSync(place).toSorted()).toEqual(['a,b.tar', 'cache', 'tree']);
  expect(existsSync(join(place, 'tree/f,1'))).toBe(true);
  expect(manifest?.mediaType).toBe('application/vnd.oci.image.index.v1+json');
  expect(images[0]?.manifest).not.toBe(manifest?.digest);
});

test('a multi-platform build returns an index with a manifest for each platform', async () => {
  const { id, images, manifest } = await callBuild({
    context: writeFiles({ Dockerfile: 'FROM scratch\nCOPY f /\n', f: '' }),
    platforms: ['linux/amd64', 'linux/arm64'],
    tags: ['both:1'],
  });
  expect(id).toBe(manifest?.digest);
  const index = JSON.parse(readFileSync(join(defaultStore(), 'blobs/sha256', id.slice(7)), 'utf8'));
  expect(images.map((image) => image.manifest)).toEqual(
    index.manifests.map(({ digest }: { digest: string }) => digest),
  );
});

test('builds of one program run concurrently on one store', async () => {
  const specs = [1, 2, 3].map((at) => ({
    context: writeFiles({ Dockerfile: `FROM busybox\nRUN echo ${at}\n` }),
    tags: [`at-once:${at}`],
  }));
  const results = await Promise.all(specs.map((spec) => callBuild(spec)));
  expect(new Set(results.map(({ id }) => id)).size).toBe(3);
});

test('an already aborted signal starts nothing, and an error in the caller ends the build', async () => {
  const context = writeFiles({ Dockerfile: 'FROM busybox\nRUN echo begun; sleep 100\n' });
  expect(await failureOf({ context }, { signal: AbortSignal.abort(), program: '/nothing' })).toMatchObject({
    code: 'CANCELLED',
  });
  const onEvent = (event: ProgressEvent): void => {
    if (event.type === 'log') throw new RangeError('of the caller');
  };
  await expect(callBuild({ context }, { onEvent })).rejects.toThrow(RangeError);
});

test('an abort takes effect while the caller handles an event', async () => {
  const controller = new AbortController();
  const onEvent = (event: ProgressEvent): unknown => {
    if (event.type !== 'log') return undefined;
    setTimeout(() => controller.abort(), 10);
    return new Promise(() => {});
  };
  const context = writeFiles({ Dockerfile: 'FROM busybox\nRUN yes\n' });
  expect(await failureOf({ context }, { onEvent, signal: controller.signal })).toMatchObject({ code: 'CANCELLED' });
});

test('a tbuild that is missing, fails or is killed is reported as an error', async () => {
  const context = writeFiles({ Dockerfile: 'FROM busybox\nRUN echo begun; sleep 100\n' });
  expect(await failureOf({ context }, { program: '/nothing' })).toMatchObject({
    code: 'NOT_FOUND',
    message: 'Cannot start the program "/nothing"',
  });
  expect(await failureOf({ context }, { env: { PATH: process.env.PATH, TBUILD_NODE: '/nothing' } })).toMatchObject({
    code: 'PROCESS_FAILED',
    message: 'tbuild ended with exit code 2 before it answered',
    hint: expect.stringContaining('"/nothing" does not run'),
  });
  const onEvent = (event: ProgressEvent): void => {
    if (event.type !== 'log') return;
    const pid = processesNaming('\0--api').find((one) => statOf(one)[1] === String(process.pid));
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
  };
  expect(await failureOf({ context }, { onEvent })).toMatchObject({
    code: 'PROCESS_FAILED',
    message: 'tbuild was killed by SIGKILL before it answered',
  });
});

test('the program gives the same answers when it starts from a snapshot', async () => {
  const cache = scratchDirectory('cache');
  const env = { ...process.env, HOME: cache, XDG_CACHE_HOME: cache };
  const context = hello();
  const { id } = await callBuild({ context }, { env });
  await callBuild({ context }, { env });
  const notes = () => readdirSync(join(cache, 'tbuild')).filter((name) => /^snapshot-.*node$/.test(name));
  await vi.waitFor(() => expect(notes()).toHaveLength(1), patiently);
  let program: readonly string[] = [];
  const onEvent = (): void => {
    if (program.length > 0) return;
    const pid = processesNaming('\0--api').find((one) => statOf(one)[1] === String(process.pid));
    program = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  };
  expect((await callBuild({ context }, { env, onEvent })).id).toBe(id);
  expect(program).toContain('--snapshot-blob');
  const controller = new AbortController();
  const sleepy = { context, dockerfile: { text: 'FROM busybox\nRUN echo begun; sleep 100\n' } };
  const abort = (event: ProgressEvent): void => void (event.type === 'log' && controller.abort());
  const error = await failureOf(sleepy, { env, onEvent: abort, signal: controller.signal });
  expect(error.code).toBe('CANCELLED');
});

test('--api is refused on the command line', async () => {
  const { exitCode, stderr } = await runTbuild(['--api']);
  expect([exitCode, stderr]).toEqual([2, 'ERROR: --api is for programs only\nhint: Use the package @tbuild/api\n']);
});

test('the command line and the API share one cache', async () => {
  const context = hello();
  await callBuild({ context, tags: ['shared:1'] });
  expect((await runTbuild(['images', '-q', '--no-trunc'])).stdout).toContain((await callBuild({ context })).id);
});

test('the API lists, measures, prunes and untags the images of the store', async () => {
  const root = scratchDirectory('store');
  const options = { ...storeOptions(), root };
  const { id, manifest } = await callBuild({ context: hello(), tags: ['kept:1', 'kept:2'] }, options);
  const common = { id, digest: manifest?.digest, platform: { os: 'linux' }, size: expect.any(Number) };
  expect(await images(options)).toMatchObject([
    { ...common, name: 'docker.io/library/kept:1' },
    { ...common, name: 'docker.io/library/kept:2' },
  ]);
  await expect(removeImage(id, options)).rejects.toMatchObject({ code: 'USAGE' });
  expect(await removeImage('kept:1', options)).toEqual(['docker.io/library/kept:1']);
  expect(await removeImage(id, { ...options, force: true })).toEqual(['docker.io/library/kept:2']);
  expect(await images(options)).toEqual([]);

  const used = async () => (await diskUsage(options)).reduce((sum, { bytes }) => sum + bytes, 0);
  const before = await used();
  const { bytes, steps } = await prune({ ...options, all: true });
  expect(steps).toBeGreaterThan(0);
  expect(await used()).toBeLessThanOrEqual(before - bytes);
  await expect(prune({ ...options, unusedFor: -1 })).rejects.toMatchObject({
    code: 'USAGE',
    message: 'Field "unusedFor" must be a number that is not negative, not -1',
  });
});

test('a Dockerfile is checked without a build', async () => {
  const context = scratchDirectory('context');
  const text = 'FROM scratch AS a\nFROM scratch\nCMD echo\n';
  const found = await check({ context, dockerfile: { text } }, storeOptions());
  expect(found.map(({ rule, location }) => [rule, location.start.line])).toEqual([['JSONArgsRecommended', 3]]);
  const wrong = check({ context, dockerfile: { text: 'FRM a\n' } }, storeOptions());
  await expect(wrong).rejects.toMatchObject({ code: 'DOCKERFILE_SYNTAX', location: { start: { line: 1 } } });
});
