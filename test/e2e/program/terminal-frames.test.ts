// oxlint-disable no-control-regex -- the colours of a terminal are escape sequences

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { baseImageArguments, pushBaseImage } from '../../support/base-images.ts';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import { expectFrame } from '../../support/frame.ts';
import { type Gate, startGate } from '../../support/gate.ts';
import { patiently } from '../../support/patience.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { startTbuild } from '../../support/tbuild-terminal.ts';
import { good, runTbuild, writeFiles } from '../../support/tbuild.ts';
import type { Terminal, TerminalOptions } from '../../support/terminal.ts';

// Each state of a build on a terminal, held there by a server, must match a golden in `test/goldens/frames`.

const rows = 24;
const widths = [40, 80, 200];
/** A line of the output of either step in plain progress, which shows one for some time. */
const PLAIN = /^#\d+ [\d.]+ (?:compiling|titled)/m;

interface StartOptions extends Pick<TerminalOptions, 'env' | 'rows'> {
  /** More options of the build. */
  readonly more?: readonly string[];
}

/** Builds of one name tell the time that is left. */
const newStore = (): string => scratchDirectory('store');

const expectNothingLeft = async (terminal: Terminal): Promise<void> => {
  await terminal.screens();
  expect(terminal.exitCode()).toBe(130);
  expect(await terminal.isReset()).toBe(true);
};

describe('a build with a slow registry', needs('tmux', 'registry'), () => {
  let proxy: FaultProxy;
  let base = '';
  beforeAll(async () => {
    const host = await sharedService('registry');
    base = await pushBaseImage('busybox', host);
    proxy = await startFaultProxy(host);
    base = base.replace(host, proxy.host);
  });
  afterAll(() => proxy[Symbol.asyncDispose]());

  const start = (columns: number, ...args: readonly string[]): Promise<Terminal> => {
    const cwd = writeFiles({ Dockerfile: `FROM ${base}\nRUN echo ran\n` });
    return startTbuild(['build', ...args, '.'], { store: newStore(), cwd, columns, rows });
  };

  test.each(widths)('on %i columns: planning, pulling, cancelled', async (columns) => {
    proxy.decide = (line) => (line.includes('/manifests/') ? { kind: 'hang' } : undefined);
    await using planning = await start(columns, '-t', 'frames:1');
    await expectFrame(planning, 'planning', { columns, shows: 'load metadata' });
    await planning.type('C-c');
    await expectNothingLeft(planning);
    await expectFrame(planning, 'cancelled', { columns, shows: 'cancelled' });
    proxy.decide = (line) => (/^GET .*\/blobs\//.test(line) ? { kind: 'stall', after: 300_000 } : undefined);
    await using pulling = await start(columns, '-t', 'frames:1');
    await expectFrame(pulling, 'pulling', { columns, shows: /\[[=>]|\d%/ });
    await pulling.type('C-c');
    await expectNothingLeft(pulling);
  });

  test('pushing', async () => {
    const columns = 80;
    proxy.decide = (line) => (/^(?:POST|PATCH|PUT) .*\/blobs\/uploads/.test(line) ? { kind: 'hang' } : undefined);
    await using pushing = await start(columns, '-t', `${proxy.host}/frames:1`, '--push');
    await expectFrame(pushing, 'pushing', { columns, shows: 'pushing layers' });
    await pushing.type('C-c');
    await expectNothingLeft(pushing);
  });
});

describe('a build with steps that run', needs('tmux', 'root'), () => {
  let gate: Gate;
  const args = ['build', '--network', 'host', ...baseImageArguments(), '-t', 'frames:1', '.'];
  const context = (): string =>
    writeFiles({
      Dockerfile: `FROM busybox AS base
COPY lines.sh wide.sh /
WORKDIR /app
FROM base AS lines
MAINTAINER me
RUN sh /lines.sh
FROM base AS wide
RUN sh /wide.sh 日本語 🎉
FROM base
COPY --from=lines /lines.sh /lines
COPY --from=wide /wide.sh /wide
`,
      'lines.sh': `for i in 1 2 3 4 5 6 7 8; do echo "compiling src/module-$i.c"; done; ${gate.wait('lines')}\n`,
      'wide.sh': `printf '${HOSTILE}'; exit $(${gate.wait('wide')})\n`,
    });
  /** Wide characters, a cleared screen, a title, the other screen, a line written over, a moved and a hidden cursor. */
  const HOSTILE = String.raw`日本語のテキスト 🎉 emoji\n\033[2J\033[Hcleared\n\033]0;title\007titled\n\033[?1049hother screen\n10%%\r20%%\033[31m red\n\033[5A\033[?25lhidden\n`;
  const start = async (columns: number, { more = [], ...options }: StartOptions = {}): Promise<Terminal> => {
    const store = newStore();
    const cwd = context();
    good(await runTbuild([...args, '--target', 'base'], { store, cwd }));
    const words = [...args, '--no-cache-filter', 'lines,wide', ...more];
    return startTbuild(words, { store, cwd, columns, rows, ...options });
  };
  beforeAll(async () => {
    gate = await startGate();
  });
  afterAll(() => gate[Symbol.asyncDispose]());

  test.each(widths)('on %i columns: running, failed with the question, and finished', async (columns) => {
    await using running = await start(columns);
    await gate.reached('lines', 'wide');
    await expectFrame(running, 'running', { columns, shows: 'hidden' });
    gate.open('lines');
    await running.waitFor('(7/9)');
    gate.open('wide', '3');
    await expectFrame(running, 'failed', { columns, shows: '[q]uit' });
    await running.type('r');
    await gate.reached('lines', 'wide');
    gate.open('lines');
    await running.waitFor(/\[q\]uit r[^]*\(7\/9\)/);
    gate.open('wide');
    await expectFrame(running, 'finished', { columns, shows: 'Next: ' });
    await running.screens();
    expect(running.exitCode()).toBe(0);
    expect(await running.isReset()).toBe(true);
  });

  test('a terminal that changes its size shows the frame of that size, and keeps what was there before', async () => {
    await using running = await start(200);
    await gate.reached('lines', 'wide');
    await expectFrame(running, 'running', { columns: 200, shows: 'hidden' });
    await running.resize(80, 40);
    await expectFrame(running, 'narrower', { columns: 80, shows: 'hidden' });
    await running.resize(80, 5);
    await expectFrame(running, 'lower', { columns: 80, shows: 'wide.sh' });
    await running.type('C-c');
    await expectNothingLeft(running);
    expect(await running.scrollback()).toContain('load build definition');
  });

  test.each<[what: string, options: StartOptions, shows: RegExp, lacks: RegExp]>([
    ['nothing', {}, /\x1b\[34m => \[internal\][^]*module-6[^]*module-8/, /^#\d/m],
    ['NO_COLOR', { env: { NO_COLOR: '1' } }, /^ => \[internal\][^]*module-8/m, /\x1b/],
    ['BUILDKIT_COLORS', { env: { BUILDKIT_COLORS: 'run=green' } }, /\x1b\[32m => \[internal\]/, /\x1b\[34m/],
    ['BUILDKIT_TTY_LOG_LINES', { env: { BUILDKIT_TTY_LOG_LINES: '2' } }, /module-7.*\n.*module-8/, /module-6/],
    ['BUILDKIT_PROGRESS', { env: { BUILDKIT_PROGRESS: 'plain' } }, PLAIN, /\[\+\] Building/],
    ['--progress plain', { more: ['--progress', 'plain'] }, PLAIN, /\[\+\] Building/],
    [
      '--progress tty and BUILDKIT_PROGRESS',
      { more: ['--progress', 'tty'], env: { BUILDKIT_PROGRESS: 'plain' } },
      /\[\+\] Building[^]*module-8/,
      /^#\d/m,
    ],
  ])('the display is as wanted with %s', async (_, options, shows, lacks) => {
    await using running = await start(80, { ...options, rows: 60 });
    await vi.waitFor(async () => expect(await running.paintedScreen()).toMatch(shows), patiently);
    expect(await running.paintedScreen()).not.toMatch(lacks);
  });
});
