// The program where there is no Linux: runs the command in the image of tbuild, with the engine that is there.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { member, readDockerConfig } from '../config/docker-json.ts';
import { containerCommand } from './container-command.ts';
import { readCredentials } from './credentials.ts';
import { findEngine } from './engine.ts';
import { loadedAfterwards } from './load-afterwards.ts';
import { needsNoLinux } from './native-commands.ts';

process.exitCode = run(process.argv.slice(2));

function run(argv: readonly string[]): number {
  if (needsNoLinux(argv)) {
    createRequire(__filename)('./tbuild.cjs');
    return 0;
  }
  const engine = findEngine(process.env);
  if (engine === undefined) {
    process.stderr.write(
      'ERROR: tbuild needs Linux, or an engine that runs its image, and found none\nHINT: Install docker, podman, nerdctl or lima, or set TBUILD_ENGINE to the path of one\n',
    );
    return 2;
  }
  const directory = mkdtempSync(join(tmpdir(), 'tbuild-'));
  try {
    const auths = readCredentials(process.env, homedir());
    const proxies = member(readDockerConfig(process.env), 'proxies');
    writeFileSync(join(directory, 'config.json'), JSON.stringify({ auths, proxies }), { mode: 0o600 });
    const { argv: asked, archive } = loadedAfterwards(argv, directory);
    const [program = '', ...args] = containerCommand(asked, {
      engine,
      directory,
      cwd: process.cwd(),
      home: homedir(),
      variables: process.env,
      platform: process.platform,
      isTerminal: process.stdin.isTTY && process.stderr.isTTY,
    });
    const { status } = spawnSync(program, args, { stdio: 'inherit' });
    if (status !== 0 || archive === undefined) return status ?? 1;
    const [load = '', ...words] = engine;
    return spawnSync(load, [...words, 'load', '--input', archive], { stdio: 'inherit' }).status ?? 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
