import { readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGitServer, type GitServer } from '../../support/git-server.ts';
import { imagesOf, readLayer } from '../../support/layout.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { readTar } from '../../support/tar-archive.ts';
import { runTbuild, writeFiles } from '../../support/tbuild.ts';
import { startWebServer, type ListeningServer, type WebFile } from '../../support/web-server.ts';

const web = new Map<string, WebFile>();
let server: ListeningServer;
let git: GitServer;
beforeAll(async () => {
  [server, git] = [await startWebServer(web), await startGitServer()];
});
afterAll(() => Promise.all([server[Symbol.asyncDispose](), git[Symbol.asyncDispose]()]));

interface Made {
  /** The error, or nothing. */
  readonly stderr: string;
  readonly exitCode: number;
  /** In seconds; undefined for a time of this hour. */
  readonly created?: number;
  /** What the last layer's times were rewritten to. */
  readonly rewritten?: string;
  /** Times of the files in the last layer. */
  readonly times: readonly number[];
}

async function build(context: string, args: readonly string[] = [], output = ',rewrite-timestamp=true'): Promise<Made> {
  const layout = join(scratchDirectory('layout'), 'image');
  const result = await runTbuild(['build', '-o', `type=oci,tar=false,dest=${layout}${output}`, ...args, context]);
  if (result.exitCode !== 0) return { ...result, times: [] };
  const [image] = imagesOf(layout);
  const top = image?.manifest.layers.at(-1);
  if (image === undefined || top === undefined) throw new Error('The image has no layer');
  const created = Date.parse(image.config.created ?? '') / 1000;
  return {
    ...result,
    ...(created > Date.now() / 1000 - 3600 ? {} : { created }),
    rewritten: top.annotations?.['buildkit/rewritten-timestamp'],
    times: [...readTar(readLayer(layout, top))].map(({ mtime }) => mtime),
  };
}

const plain = (first = ''): string => writeFiles({ Dockerfile: `${first}FROM scratch\nCOPY a /\n`, a: 'a\n' });

describe('SOURCE_DATE_EPOCH as a number', () => {
  test('an ARG before the first FROM is the default', async () => {
    const made = await build(plain('ARG SOURCE_DATE_EPOCH=1445412480\n'));
    expect(made).toMatchObject({ created: 1445412480, rewritten: '1445412480', times: [1445412480] });
  });

  test('a build argument wins over the default, and an empty one resets it', async () => {
    const context = plain('ARG SOURCE_DATE_EPOCH=1445412480\n');
    expect(await build(context, ['--build-arg', 'SOURCE_DATE_EPOCH=1700000001'])).toMatchObject({
      created: 1700000001,
    });
    const reset = await build(context, ['--build-arg', 'SOURCE_DATE_EPOCH=']);
    expect(reset.created).toBeUndefined();
    expect(reset.rewritten).toBeUndefined();
  });

  test('an output may have another one, or none', async () => {
    const context = plain();
    const args = ['--build-arg', 'SOURCE_DATE_EPOCH=1700000002'];
    const own = await build(context, args, ',rewrite-timestamp=true,source-date-epoch=1600000000');
    expect(own).toMatchObject({ created: 1600000000, rewritten: '1600000000', times: [1600000000] });
    const none = await build(context, args, ',rewrite-timestamp=true,source-date-epoch=');
    expect(none).toMatchObject({ created: 1700000002, rewritten: undefined });
  });

  test.each([
    ['a build argument', 'FROM scratch\n', ['--build-arg', 'SOURCE_DATE_EPOCH=not-a-time']],
    ['an ARG', 'ARG SOURCE_DATE_EPOCH=not-a-time\nFROM scratch\n', []],
    ['a check', 'ARG SOURCE_DATE_EPOCH=not-a-time\nFROM scratch\n', ['--check']],
    ['an outline', 'ARG SOURCE_DATE_EPOCH=not-a-time\nFROM scratch\n', ['--call', 'outline']],
    ['a list of targets', 'FROM scratch\n', ['--call', 'targets', '--build-arg', 'SOURCE_DATE_EPOCH=not-a-time']],
    ['an output', 'FROM scratch\n', ['-o', 'type=tar,dest=/dev/null,source-date-epoch=not-a-time']],
  ])('a wrong value in %s fails in the words of BuildKit', async (_, Dockerfile, args) => {
    const { exitCode, stderr, stdout } = await runTbuild(['build', ...args, writeFiles({ Dockerfile })]);
    expect(exitCode).not.toBe(0);
    expect(stdout + stderr).toContain('invalid SOURCE_DATE_EPOCH: not-a-time');
  });
});

describe('a SOURCE_DATE_EPOCH before 1970', () => {
  const before = ['--build-arg', 'SOURCE_DATE_EPOCH=-1000'];

  test('is the time of the image and of directories, and layers with newer files stay as they are', async () => {
    const context = writeFiles({ Dockerfile: 'FROM scratch\nCOPY a /\n', a: 'a\n' });
    utimesSync(join(context, 'a'), 1700000000, 1700000000);
    const made = await build(context, before);
    expect(made).toMatchObject({ created: -1000, rewritten: undefined, times: [1700000000] });
    expect(made.stderr).toContain('rewrite-timestamp leaves layers alone that have newer files');
    writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nWORKDIR /w\n');
    expect(await build(context, before)).toMatchObject({ created: -1000, rewritten: '-1000', times: [-1000] });
  });

  test('is the time of files in a directory', async () => {
    const tree = join(scratchDirectory('tree'), 'tree');
    const { exitCode } = await runTbuild(['build', '-o', `type=local,dest=${tree}`, ...before, plain()]);
    expect(exitCode).toBe(0);
    expect(statSync(join(tree, 'a')).mtimeMs).toBe(-1_000_000);
  });

  test('is refused before the year 0', async () => {
    const args = ['--build-arg', 'SOURCE_DATE_EPOCH=-62167219201'];
    const { exitCode, stderr } = await runTbuild(['build', ...args, plain()]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('invalid SOURCE_DATE_EPOCH: -62167219201');
  });
});

const RAN = 'FROM busybox\nARG SOURCE_DATE_EPOCH\nRUN echo -n "$SOURCE_DATE_EPOCH" > /epoch\n';

/** An archive whose newest file has a time. */
async function archive(files: Readonly<Record<string, string>>, newest: number): Promise<Buffer> {
  const directory = writeFiles(files);
  for (const [at, name] of Object.keys(files).entries()) utimesSync(join(directory, name), newest - at, newest - at);
  const path = join(scratchDirectory('archive'), 'files.tar');
  await runChecked('tar', ['-cf', path, ...Object.keys(files)], { cwd: directory });
  return readFileSync(path);
}

describe('SOURCE_DATE_EPOCH=context', () => {
  const context = ['--build-arg', 'SOURCE_DATE_EPOCH=context'];

  test('is not set for a local directory', async () => {
    const made = await build(plain(), context);
    expect(made.created).toBeUndefined();
    expect(made.rewritten).toBeUndefined();
  });

  test('is the time of the commit of a git context, which files get too', needs('git'), async () => {
    await git.commit('app', { Dockerfile: 'FROM scratch\nCOPY a /\n', a: 'a\n' });
    await git.commit('app', { b: 'b\n' });
    const time = Number(await git.git('app', 'log', '-1', '--format=%ct'));
    const made = await build(`${git.url}/app.git`, context, '');
    expect(made.times).toEqual([time]);
    const history = await build(`${git.url}/app.git`, context);
    expect(history.rewritten).toBe(String(time));
  });

  test('is Last-Modified of an HTTP context, before the times in its archive', async () => {
    const body = await archive({ Dockerfile: 'FROM scratch\nCOPY a /\n', a: 'a\n' }, 1700000202);
    const headers = { 'last-modified': new Date(1700000201_000).toUTCString() };
    web.set('/dated.tar', { body, headers });
    expect(await build(`${server.url}/dated.tar`, context)).toMatchObject({ created: 1700000201 });
  });

  test('is the time of the newest file in an archive without Last-Modified', async () => {
    const files = { a: 'a\n', Dockerfile: 'FROM scratch\nCOPY a /\n' };
    web.set('/undated.tar', { body: await archive(files, 1700000302) });
    expect(await build(`${server.url}/undated.tar`, context)).toMatchObject({ created: 1700000302 });
  });
});

describe('SOURCE_DATE_EPOCH of another source', () => {
  test('a stage that adds one URL gives the time of that, also to RUN', needs('root'), async () => {
    web.set('/source.tar', { body: await archive({ foo: 'bar\n' }, 1700000402) });
    const Dockerfile = `ARG SOURCE_DATE_EPOCH=mysource\nFROM scratch AS mysource\nADD ${server.url}/source.tar /\n${RAN}`;
    const store = scratchDirectory('output');
    const { baseImageArguments } = await import('../../support/base-images.ts');
    const result = await runTbuild([
      'build',
      ...baseImageArguments(),
      '-o',
      `type=local,dest=${store}/out`,
      writeFiles({ Dockerfile }),
    ]);
    expect(result.stderr).not.toContain('error:');
    expect(readFileSync(join(store, 'out/epoch'), 'utf8')).toBe('1700000402');
  });

  test('a named context gives its Last-Modified', async () => {
    const headers = { 'last-modified': new Date(1700000601_000).toUTCString() };
    web.set('/named', { body: 'named\n', headers });
    const args = ['--build-context', `mysource=${server.url}/named`];
    const made = await build(plain('ARG SOURCE_DATE_EPOCH=mysource\n'), args);
    expect(made).toMatchObject({ created: 1700000601, rewritten: '1700000601' });
  });

  test.each([
    [
      'copies files',
      'FROM scratch AS s\nCOPY a /a\n',
      'SOURCE_DATE_EPOCH stage does not meet source-only requirements: unsupported COPY instruction',
    ],
    ['is based on an image', 'FROM busybox AS s\n', 'SOURCE_DATE_EPOCH stage must use FROM scratch'],
    ['adds nothing', 'FROM scratch AS s\n', 'SOURCE_DATE_EPOCH stage must contain exactly one remote ADD'],
    [
      'adds a local file',
      'FROM scratch AS s\nADD a /\n',
      'SOURCE_DATE_EPOCH stage source must be a single HTTP(S) or Git ADD',
    ],
  ])('a stage that %s is refused', async (_, stage, message) => {
    const context = writeFiles({ Dockerfile: `ARG SOURCE_DATE_EPOCH=s\n${stage}FROM scratch\nCOPY a /\n`, a: 'a\n' });
    const made = await build(context);
    expect(made.exitCode).not.toBe(0);
    expect(made.stderr).toContain(message);
  });
});
