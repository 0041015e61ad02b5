import { formatPlatform } from '@tbuild/oci';
import type { Environment } from '../../config/environment.ts';
import { parseArgs, type Flags, type ParsedArgs } from '../../flags/args.ts';
import { formatTable } from '../../print/table.ts';
import { thisPlatform } from '../../services/create-services.ts';
import { VERSION } from '../../startup/version.ts';
import { type Command, helpOf } from '../command.ts';

/** The name of the only builder, which is tbuild itself. */
const DEFAULT = 'default';

const help = { kind: 'switch', short: 'h', help: 'Show this text' } as const;

/** Options of `docker buildx create` and its neighbours: they describe builders, of which there is one. */
const accepted = {
  all: { kind: 'switch', help: 'No effect' },
  'all-inactive': { kind: 'switch', help: 'No effect' },
  append: { kind: 'switch', help: 'No effect' },
  bootstrap: { kind: 'switch', help: 'No effect: there is nothing to start' },
  builder: { kind: 'text', help: 'No effect: there is one builder' },
  'buildkitd-config': { kind: 'text', help: 'No effect' },
  'buildkitd-flags': { kind: 'text', help: 'No effect' },
  config: { kind: 'text', help: 'No effect' },
  debug: { kind: 'switch', short: 'D', help: 'No effect' },
  default: { kind: 'switch', help: 'No effect' },
  driver: { kind: 'text', help: 'No effect: there is no container and no server' },
  'driver-opt': { kind: 'list', help: 'No effect: there is no container and no server' },
  force: { kind: 'switch', short: 'f', help: 'No effect' },
  global: { kind: 'switch', help: 'No effect' },
  'keep-daemon': { kind: 'switch', help: 'No effect' },
  'keep-state': { kind: 'switch', help: 'No effect' },
  leave: { kind: 'switch', help: 'No effect' },
  name: { kind: 'text', value: 'NAME', help: 'The name that is printed' },
  node: { kind: 'text', help: 'No effect' },
  'no-trunc': { kind: 'switch', help: 'No effect' },
  platform: { kind: 'list', help: 'No effect: --platform of a build chooses' },
  timeout: { kind: 'text', help: 'No effect' },
  use: { kind: 'switch', help: 'No effect' },
  help,
} as const satisfies Flags;

type Given = ParsedArgs<typeof accepted>;

/**
 * The commands of `docker buildx` about builders. tbuild has no daemon to create, choose or remove, so that scripts that do
 * go on.
 */
export const builders = {
  create: builderCommand('create', 'Accepted: there is no builder to create', ({ flags, positional }, env) => {
    tell(env, 'there is no builder to create');
    env.stdout.write(`${flags.name ?? positional[0] ?? DEFAULT}\n`);
  }),
  use: builderCommand('use', 'Accepted: there is one builder', (_given, env) => tell(env, 'there is one builder')),
  rm: builderCommand('rm', 'Accepted: there is no builder to remove', (_given, env) =>
    tell(env, 'there is no builder to remove'),
  ),
  stop: builderCommand('stop', 'Accepted: there is no builder to stop', (_given, env) =>
    tell(env, 'there is no builder to stop'),
  ),
  ls: builderCommand('ls', 'List the only builder', (_given, { stdout }) =>
    stdout.write(
      formatTable(
        ['NAME/NODE', 'DRIVER/ENDPOINT', 'STATUS', 'BUILDKIT', 'PLATFORMS'],
        [[`${DEFAULT}*`, 'tbuild', 'running', `tbuild ${VERSION}`, formatPlatform(thisPlatform())]],
      ),
    ),
  ),
  inspect: builderCommand('inspect', 'Show the only builder', ({ positional }, { stdout }) =>
    stdout.write(
      [
        `Name:          ${positional[0] ?? DEFAULT}`,
        'Driver:        tbuild',
        '',
        'Nodes:',
        `Name:             ${positional[0] ?? DEFAULT}`,
        'Endpoint:         tbuild',
        'Status:           running',
        `BuildKit version: tbuild ${VERSION}`,
        `Platforms:        ${formatPlatform(thisPlatform())}`,
        '',
      ].join('\n'),
    ),
  ),
  version: builderCommand('version', 'Show the version', (_given, { stdout }) => stdout.write(`tbuild ${VERSION}\n`)),
};

function tell({ stderr }: Environment, what: string): void {
  stderr.write(`tbuild needs no builders: ${what}\n`);
}

function builderCommand(name: string, summary: string, run: (given: Given, env: Environment) => void): Command {
  return {
    summary,
    usage: `buildx ${name} [OPTIONS] [NAME]`,
    flags: { help },
    async run(argv, env) {
      const given = parseArgs(argv, accepted);
      if (given.flags.help === true)
        env.stdout.write(helpOf({ usage: `buildx ${name} [OPTIONS] [NAME]`, summary, flags: { help } }));
      else run(given, env);
      return 0;
    },
  };
}
