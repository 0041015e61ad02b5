import { spawn } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { otherNodes, withNode } from '../../support/nodes.ts';
import { program } from '../../support/program.ts';
import { runProcess } from '../../support/run-process.ts';
import { defaultStore, good, runTbuild, writeFiles } from '../../support/tbuild.ts';

const nodes = [{ name: 'the Node of the tests', path: process.env['TBUILD_NODE'] }, ...otherNodes];
const asks: readonly (readonly string[])[] = [['images'], ['--help'], ['--version'], ['du'], ['doctor'], ['explain']];

describe.each(nodes)('with $name', ({ path }) => {
  test.each(asks.map((args) => [args.join(' '), args] as const))(
    'tbuild %s > /dev/full fails with one message',
    async (_, args) => {
      const { exitCode, stderr } = await withOutput('/dev/full', args, withNode(path));
      expect(stderr).toMatch(/^ERROR: Cannot write to standard output: no space left on device\nhint: .*\n$/);
      expect(exitCode).toBe(1);
    },
  );

  test('a reader that closes the output early, as head does, causes no failure', async () => {
    const script = `"$0" --help | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await runProcess('bash', ['-c', script, program], { env: withNode(path) });
    expect(stdout).toMatch(/^Usage: .*\n0\n$/);
    expect(stderr).toBe('');
  });

  test('many concurrent fetches cause no warning of Node', async () => {
    await using server = await slowServer();
    const stages = Array.from({ length: 16 }, (_, at) => `FROM scratch AS s${at}\nADD ${server.url}/${at} /f\n`);
    const copies = stages.map((_, at) => `COPY --from=s${at} /f /f${at}`);
    const Dockerfile = [...stages, 'FROM scratch', ...copies].join('\n');
    // --debug shows the warnings of Node.
    const args = ['--no-cache', '--debug', '--progress', 'plain', writeFiles({ Dockerfile })];
    const { stderr } = good(await runTbuild(args, { env: withNode(path) }));
    expect(stderr).not.toMatch(/Warning|node:/);
  });
});

async function slowServer(): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((_request, response) => void setTimeout(() => response.end('file'), 500));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Runs the program with a file as its standard output. */
async function withOutput(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly exitCode: number | null; readonly stderr: string }> {
  const output = openSync(file, 'w');
  try {
    const child = spawn(program, args, {
      env: { ...process.env, TBUILD_ROOT: defaultStore(), ...env },
      stdio: ['ignore', output, 'pipe'],
    });
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const exitCode = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return { exitCode, stderr };
  } finally {
    closeSync(output);
  }
}
