import { existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { IMAGE } from '../startup/version.ts';

export interface ContainerOptions {
  /** The command of the engine. */
  readonly engine: readonly string[];
  /** A directory with the credentials, and for results. */
  readonly directory: string;
  readonly cwd: string;
  readonly home: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly isTerminal: boolean;
}

/** Returns the command line that runs tbuild in a container as if it ran here. */
export function containerCommand(argv: readonly string[], options: ContainerOptions): readonly string[] {
  const { engine, directory, cwd, variables, isTerminal } = options;
  const mounts = new Set([cwd, directory, ...pathsIn(argv, options)]);
  return [
    ...engine,
    'run',
    '--rm',
    '--interactive',
    ...(isTerminal ? ['--tty'] : []),
    // These let tbuild make user namespaces; they give the container no more than its own root.
    '--security-opt=seccomp=unconfined',
    '--security-opt=apparmor=unconfined',
    '--volume=tbuild-store:/var/lib/tbuild',
    ...[...mounts].map((path) => `--volume=${path}:${path}`),
    `--workdir=${cwd}`,
    `--env=DOCKER_CONFIG=${directory}`,
    ...sshOptions(options),
    ...passedVariables(argv, variables).map((name) => `--env=${name}`),
    variables['TBUILD_IMAGE'] || IMAGE,
    'tbuild',
    ...argv,
  ];
}

/** Returns the directories of files that a command line names, except below the working directory. */
function pathsIn(argv: readonly string[], { cwd, home }: ContainerOptions): readonly string[] {
  return argv
    .flatMap((word) => word.split(/[=,]/))
    .map((piece) => piece.replace(/^oci-layout:\/\//, ''))
    .filter((piece) => /^(?:\/|\.\.?(?:\/|$)|~\/)/.test(piece))
    .map((piece) => resolve(cwd, piece.replace(/^~(?=\/)/, home)))
    .flatMap((path) => mountable(path) ?? [])
    .filter((path) => path !== cwd && !path.startsWith(`${cwd}/`));
}

/** A file that does not exist yet is written to its directory. */
function mountable(path: string): string | undefined {
  if (existsSync(path)) return statSync(path).isDirectory() ? path : dirname(path);
  const parent = dirname(path);
  return existsSync(parent) && parent !== '/' ? parent : undefined;
}

/** Docker's virtual machine on a Mac has the agent at a place of its own. */
function sshOptions({ engine, platform, variables }: ContainerOptions): readonly string[] {
  const socket = variables['SSH_AUTH_SOCK'];
  if (socket === undefined || socket === '') return [];
  const source = platform === 'darwin' && engine[0] === 'docker' ? '/run/host-services/ssh-auth.sock' : socket;
  return [`--volume=${source}:/run/ssh-agent.sock`, '--env=SSH_AUTH_SOCK=/run/ssh-agent.sock'];
}

const PASSED =
  /^(?:TBUILD_(?!ENGINE|IMAGE|ROOT|NODE)\w+|SOURCE_DATE_EPOCH|BUILDKIT_(?:PROGRESS|COLORS|TTY_LOG_LINES)|NO_COLOR|COLUMNS|GITLAB_CI|CI|CI_\w+|(?:https?|no)_proxy|(?:HTTPS?|NO)_PROXY|DOCKER_AUTH_CONFIG|DOCKER_DEFAULT_PLATFORM)$/;

/** Returns the variables to pass on by name: those that tbuild reads, and those that options name, such as build arguments. */
function passedVariables(argv: readonly string[], variables: ContainerOptions['variables']): readonly string[] {
  const words = new Set(argv.flatMap((word) => word.split(/[=,]/)));
  return Object.keys(variables)
    .filter((name) => PASSED.test(name) || (words.has(name) && !/^(?:PATH|HOME)$/.test(name)))
    .sort();
}
