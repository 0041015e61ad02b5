import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { makeDirectory, shellQuoted } from '@tbuild/linux';
import type { Environment } from '../config/environment.ts';
import { parseArgs, type Flags } from '../flags/args.ts';
import { programFile } from '../startup/executable.ts';
import { type Command, helpOf } from './command.ts';

const flags = {
  'as-buildx': { kind: 'switch', help: 'Take the place of docker-buildx, so that docker build uses tbuild' },
  'docker-plugin': { kind: 'switch', help: 'Add the command docker tbuild' },
  uninstall: { kind: 'switch', help: 'Remove what was installed, and put docker-buildx back' },
  help: { kind: 'switch', short: 'h', help: 'Show this text' },
} as const satisfies Flags;

const PLUGINS = ['tbuild', 'buildx'] as const;

type Plugin = (typeof PLUGINS)[number];

/** A line by which a plug-in of ours is known. */
const MARK = '# Written by tbuild install.';

export const install: Command = {
  summary: "Make tbuild a plug-in of Docker's CLI, or its builder",
  usage: 'install --docker-plugin|--as-buildx|--uninstall',
  flags,
  async run(argv, env) {
    const { flags: given, positional } = parseArgs(argv, flags);
    if (given.help === true) {
      env.stdout.write(helpOf(install));
      return 0;
    }
    const plugins: readonly Plugin[] = [
      ...(given['docker-plugin'] === true ? (['tbuild'] as const) : []),
      ...(given['as-buildx'] === true ? (['buildx'] as const) : []),
    ];
    const removes = given.uninstall === true;
    if (positional.length > 0 || removes === plugins.length > 0)
      throw new TbuildError('USAGE', `Usage: tbuild ${install.usage}`);
    const directory = pluginDirectory(env);
    const lines = removes
      ? PLUGINS.flatMap((plugin) => remove(plugin, directory))
      : plugins.map((one) => add(one, directory));
    env.stdout.write(lines.length === 0 ? 'Nothing was installed\n' : lines.map((line) => `${line}\n`).join(''));
    return 0;
  },
};

function pluginDirectory({ variables: { DOCKER_CONFIG, HOME }, cwd }: Environment): string {
  if (DOCKER_CONFIG) return resolve(cwd, DOCKER_CONFIG, 'cli-plugins');
  if (HOME !== undefined && HOME !== '') return join(HOME, '.docker/cli-plugins');
  throw new TbuildError(
    'USAGE',
    "Cannot find the directory of Docker's plug-ins: neither HOME nor DOCKER_CONFIG is set",
  );
}

function add(plugin: Plugin, directory: string): string {
  const file = join(directory, `docker-${plugin}`);
  makeDirectory(directory);
  if (existsSync(file) && !isOurs(file)) renameSync(file, savedName(file));
  const program = resolve(dirname(programFile()), '../bin/tbuild');
  const temporary = `${file}.new`;
  writeFileSync(temporary, `#!/bin/sh\n${MARK}\nexec ${shellQuoted(program)} __docker ${plugin} "$@"\n`);
  chmodSync(temporary, 0o755);
  renameSync(temporary, file);
  return `Installed ${file}`;
}

function remove(plugin: Plugin, directory: string): string[] {
  const file = join(directory, `docker-${plugin}`);
  if (!existsSync(file) || !isOurs(file)) return [];
  rmSync(file);
  if (!existsSync(savedName(file))) return [`Removed ${file}`];
  renameSync(savedName(file), file);
  return [`Put ${file} back`];
}

/** Docker's CLI passes over files with a dot in their name. */
function savedName(file: string): string {
  return `${file}.before-tbuild`;
}

function isOurs(file: string): boolean {
  return readFileSync(file).subarray(0, 100).includes(MARK);
}
