import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pushBaseImage } from '../../support/base-images.ts';
import { eventually } from '../../support/eventually.ts';
import { startFaultProxy, type FaultProxy } from '../../support/fault-proxy.ts';
import { program } from '../../support/program.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { buildGood, good, runTbuild, writeFiles } from '../../support/tbuild.ts';
import { startTerminal } from '../../support/terminal.ts';

/** One object of rawjson. */
interface SolveStatus {
  readonly vertexes?: readonly { digest: string; name: string; started?: string; completed?: string; error?: string }[];
  readonly statuses?: readonly { id: string; vertex: string; current: number; total?: number }[];
}

/** Collects from rawjson the steps, and the layers that they fetch and extract. */
function read(text: string) {
  const lines = text.trim().split('\n');
  const told = lines.map((line): SolveStatus => JSON.parse(line));
  return {
    vertexes: told.flatMap(({ vertexes = [] }) => vertexes),
    moved: told.flatMap(({ statuses = [] }) => statuses).filter(({ id }) => /^(extracting )?sha256:/.test(id)),
  };
}

describe('a base image that downloads slowly', needs('registry'), () => {
  let proxy: FaultProxy;
  let base = '';
  beforeAll(async () => {
    const host = await sharedService('registry');
    const reference = await pushBaseImage('busybox', host);
    proxy = await startFaultProxy(host);
    proxy.decide = (line) => (isLayer(line) ? { kind: 'slow', bytesPerSecond: 250_000 } : undefined);
    base = reference.replace(host, proxy.host);
  });
  afterAll(() => proxy[Symbol.asyncDispose]());

  /** The configuration is a blob too, but so small that the first answer contains it. */
  const isLayer = (line: string): boolean => /^GET .*\/blobs\//.test(line);
  const context = () => writeFiles({ Dockerfile: `FROM ${base}\nRUN echo ran\nWORKDIR /made\n` });
  const build = (mode: string, directory: string) =>
    runTbuild(['build', '--progress', mode, directory], { store: scratchDirectory('store') });

  test('is fetched and extracted under FROM only, in few lines of a log', async () => {
    const { stderr } = good(await build('plain', context()));
    const lines = stderr.split('\n');
    const [from, ...more] = lines.filter((line) => / FROM /.test(line));
    expect(more, stderr).toEqual([]);
    const number = from?.split(' ')[0];
    const transfers = lines.filter((line) => /sha256:\S+ .*\d+B \/|extracting/.test(line));
    expect(transfers.filter((line) => !line.startsWith(`${number} `))).toEqual([]);
    expect(stderr).toMatch(/^#\d sha256:\S+ [\d.]+kB \/ [\d.]+MB [\d.]+kB\/s \d+\.\ds$/m);
    expect(stderr).toMatch(/^#\d extracting sha256:[0-9a-f]{64}( [\d.]+s)? done$/m);
    const times = lines.flatMap((line) => /^#\d sha256:\S+ .*\/s (\d+\.\d)s$/.exec(line)?.[1] ?? []).map(Number);
    expect(times.filter((time, at) => time - (times[at - 1] ?? 0) < 1)).toEqual([]);
    expect(lines.filter((line) => line.endsWith(' ...'))).toEqual([]);
    expect(lines.findIndex((line) => line.startsWith(`${number} DONE`))).toBeLessThan(
      lines.findIndex((line) => line.includes('RUN echo ran')),
    );
  });

  test('delays the step that needs it, whose time starts when the image is extracted', async () => {
    const { stderr } = good(await build('rawjson', context()));
    const { vertexes, moved } = read(stderr);
    const of = (part: string) => vertexes.filter(({ name }) => name.includes(part));
    const from = of(' FROM ').at(-1);
    const started = of('RUN echo ran').flatMap((vertex) => vertex.started ?? []);
    expect(from?.completed).toBeDefined();
    expect(started.filter((at) => at < (from?.completed ?? ''))).toEqual([]);
    expect(new Set(moved.map(({ vertex }) => vertex))).toEqual(new Set([from?.digest]));
    expect(moved.map(({ id }) => id.split(':')[0])).toContain('extracting sha256');
  });

  test('shows layers of an imported cache under their cached steps', async () => {
    const directory = context();
    const cache = `type=registry,ref=${proxy.host}/pull-progress:cache`;
    const first = { store: scratchDirectory('store') };
    good(await runTbuild(['build', '-q', '--cache-to', `${cache},mode=max`, directory], first));
    writeFiles({ Dockerfile: `FROM ${base}\nRUN echo ran\nWORKDIR /made\nRUN echo more\n` }, directory);
    const args = ['build', '--progress', 'rawjson', '--cache-from', cache, directory];
    const { stderr } = good(await runTbuild(args, { store: scratchDirectory('store') }));
    const { vertexes, moved } = read(stderr);
    const nameOf = (digest: string) => vertexes.find((vertex) => vertex.digest === digest)?.name ?? digest;
    const names = new Set(moved.filter(({ id }) => id.startsWith('extracting')).map(({ vertex }) => nameOf(vertex)));
    expect([...names].sort()).toEqual([
      expect.stringContaining('[1/4] FROM'),
      '[2/4] RUN echo ran',
      '[3/4] WORKDIR /made',
    ]);
    const lastOf = (part: string) => vertexes.findLast(({ name }) => name.includes(part));
    const ends = ['FROM', 'echo ran', 'WORKDIR'].map((part) => lastOf(part)?.completed);
    const start = lastOf('echo more')?.started ?? '';
    expect(ends.filter((end) => end === undefined || end > start)).toEqual([]);
  });

  test('is not fetched, and shows no layer, when only its configuration is needed', async () => {
    const asked = proxy.seen.length;
    const directory = writeFiles({ Dockerfile: `FROM ${base}\nENV A=b\n` });
    const output = ['-o', `type=image,push=true,store=false,name=${proxy.host}/pull-progress:1`];
    const { stderr } = good(
      await runTbuild(['build', '--progress', 'plain', ...output, directory], { store: scratchDirectory('store') }),
    );
    const blobs = proxy.seen.slice(asked).filter(({ line }) => isLayer(line));
    expect(blobs).toHaveLength(1);
    expect(stderr).not.toMatch(/sha256:\S+ .*B \/|extracting/);
  });

  test('fails as FROM, and the step that waits for it never starts', async () => {
    await using broken = await startFaultProxy(await sharedService('registry'));
    let blobs = 0;
    broken.decide = (line) => (isLayer(line) && blobs++ > 0 ? { kind: 'answer', status: 404 } : undefined);
    const { exitCode, stderr } = await build(
      'plain',
      writeFiles({ Dockerfile: `FROM ${base.replace(proxy.host, broken.host)}\nRUN echo ran\n` }),
    );
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^#\d ERROR: /m);
    expect(stderr).not.toContain('RUN echo ran\n#');
    expect(stderr).toMatch(/^Dockerfile:1:1$/m);
  });

  test.each([80, 120])('is drawn with a bar, rate and remaining time on %i columns', needs('tmux'), async (columns) => {
    await using terminal = await startTerminal([program, 'build', context()], {
      columns,
      env: { TBUILD_ROOT: scratchDirectory('store') },
    });
    const screens = await terminal.screens();
    expect(terminal.exitCode()).toBe(0);
    const live = screens.find((screen) => screen.includes(' left '));
    expect(live).toMatch(/^ => \[1\/3\] FROM .* \d+\.\ds$/m);
    expect(live).toMatch(/^ => => sha256:\w+ \[=*> *\] [\d.]+kB \/ [\d.]+MB [\d.]+kB\/s \d+s left +\d+\.\ds$/m);
    expect(live).toMatch(/^ => \[2\/3\] RUN echo ran +waiting$/m);
    expect(live).not.toMatch(/ FROM .* 0\.0s$/m);
    const end = await terminal.scrollback();
    expect(end.match(/ FROM /g)).toHaveLength(1);
    expect(end).toMatch(/^ => => extracting sha256:/m);
    expect(end).not.toContain('waiting');
  });
});

test('a pull that was interrupted keeps the layers that were complete', needs('registry'), async () => {
  const host = await sharedService('registry');
  const pushed = await buildGood(
    { Dockerfile: 'FROM busybox\nCOPY small /\n', small: 'one' },
    { args: ['-t', `${host}/interrupted:1`, '--push'] },
  );
  const [large = '', small = ''] = pushed.image().manifest.layers.map(({ digest }) => digest);
  await using proxy = await startFaultProxy(host);
  proxy.decide = (line) =>
    line.startsWith('GET') && line.includes(large) ? { kind: 'stall', after: 1000 } : undefined;
  const context = writeFiles({ Dockerfile: `FROM ${proxy.host}/interrupted:1\nRUN true\n` });
  const store = scratchDirectory('store');
  let stopping: Promise<void> | undefined;
  const first = await runTbuild(['build', context], {
    store,
    onStart(child) {
      const isComplete = () => existsSync(join(store, 'blobs/sha256', small.slice('sha256:'.length)));
      stopping = eventually(isComplete).then(() => void child.kill('SIGINT'));
    },
  });
  await stopping;
  expect(first.exitCode, first.stderr).toBe(130);

  proxy.decide = () => undefined;
  const before = proxy.seen.length;
  good(await runTbuild(['build', context], { store }));
  const fetched = proxy.seen.slice(before).map(({ line }) => line);
  expect(fetched.some((line) => line.includes(large))).toBe(true);
  expect(fetched.some((line) => line.includes(small))).toBe(false);
});
