import { formatPlatform } from '@tbuild/oci';
import type { Environment } from '../../config/environment.ts';
import { parseArgs, type Flag, type Flags, type ParsedArgs } from '../../flags/args.ts';
import { formatFlags, formatRows } from '../../print/format-output.ts';
import { thisPlatform } from '../../services/create-services.ts';
import { VERSION } from '../../startup/version.ts';
import { type Command, helpOf } from '../command.ts';

/** The name of the only builder, which is tbuild itself. */
const DEFAULT = 'default';

const help = { kind: 'switch', short: 'h', help: 'Show this text' } as const;

/** Returns options of `docker buildx create` and its neighbours that describe builders, of which there is one. */
function ignored(kind: Flag['kind'], names: string): Flags {
  return Object.fromEntries(names.split(' ').map((name) => [name, { kind, help: 'No effect' }]));
}

const accepted = {
  ...ignored('switch', 'all all-inactive append bootstrap default global keep-daemon keep-state leave no-trunc use'),
  ...ignored('text', 'builder buildkitd-config buildkitd-flags config driver node timeout'),
  ...ignored('list', 'driver-opt platform'),
  debug: { kind: 'switch', short: 'D', help: 'No effect' },
  force: { kind: 'switch', short: 'f', help: 'No effect' },
  name: { kind: 'text', value: 'NAME', help: 'The name that is printed' },
  ...formatFlags,
  help,
} as const;

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
  ls: builderCommand('ls', 'List the only builder', ({ flags }, { stdout }) => {
    const isTable = flags.format === undefined || flags.format.startsWith('table');
    const row = {
      Name: isTable ? `${DEFAULT}*` : DEFAULT,
      DriverEndpoint: 'tbuild',
      Status: 'running',
      Buildkit: `tbuild ${VERSION}`,
      Platforms: formatPlatform(thisPlatform()),
    };
    stdout.write(formatRows(flags.format, [row], { headings: HEADINGS, columns: Object.keys(HEADINGS) }));
  }),
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

const HEADINGS = {
  Name: 'NAME/NODE',
  DriverEndpoint: 'DRIVER/ENDPOINT',
  Status: 'STATUS',
  Buildkit: 'BUILDKIT',
  Platforms: 'PLATFORMS',
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
