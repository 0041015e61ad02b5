import type { Command } from '../commands/command.ts';
import type { Flags } from '../flags/args.ts';
import type { Commands } from './candidates.ts';

/** Returns the manual pages of the program and its commands, by file name, from their tables of options. */
export async function manualPages(commands: Commands, version: string): Promise<ReadonlyMap<string, string>> {
  const all = await commandsIn(commands);
  const pages = all.map(({ name, command }): [string, string] => {
    const title = `tbuild-${name.replaceAll(' ', '-')}`;
    return [`${title}.1`, page(title, command, version)];
  });
  return new Map([['tbuild.1', mainPage(all, version)], ...pages]);
}

interface Named {
  readonly name: string;
  readonly command: Command;
}

async function commandsIn(commands: Commands, group = ''): Promise<readonly Named[]> {
  const found = await Promise.all(
    Object.entries(commands).map(async ([word, load]) => {
      const name = `${group}${word}`;
      const command = await load();
      const own = { name, command };
      return command.commands === undefined ? [own] : [own, ...(await commandsIn(command.commands, `${name} `))];
    }),
  );
  return found.flat();
}

function heading(title: string, version: string): string {
  return `.TH ${title.toUpperCase()} 1 "" "tbuild ${version}" "tbuild"\n`;
}

function page(title: string, { summary, usage, flags = {}, commands = {} }: Command, version: string): string {
  const parts = Object.keys(commands).map((name) => `.TP\n\\fB${title}-${roff(name)}\\fR(1)\n`);
  return [
    heading(title, version),
    `.SH NAME\n${roff(title)} \\- ${roff(lowered(summary))}\n`,
    `.SH SYNOPSIS\n\\fBtbuild\\fR ${roff(usage)}\n`,
    `.SH DESCRIPTION\n${roff(summary)}.\n`,
    ...(parts.length === 0 ? [] : [`.SH COMMANDS\n${parts.join('')}`]),
    options(flags),
    '.SH SEE ALSO\n\\fBtbuild\\fR(1)\n',
  ].join('');
}

function mainPage(all: readonly Named[], version: string): string {
  const rows = all.map(
    ({ name, command }) => `.TP\n\\fBtbuild\\-${roff(name.replaceAll(' ', '-'))}\\fR(1)\n${roff(command.summary)}\n`,
  );
  return [
    heading('tbuild', version),
    '.SH NAME\ntbuild \\- build OCI images from Dockerfiles without a daemon\n',
    '.SH SYNOPSIS\n\\fBtbuild\\fR [build] [OPTIONS] CONTEXT\n.br\n\\fBtbuild\\fR COMMAND [OPTIONS]\n',
    '.SH DESCRIPTION\nBuilds OCI images from Dockerfiles: no daemon, no root, no engine. The options of a build are those of\n\\fBdocker buildx build\\fR; \\fBtbuild\\-build\\fR(1) describes them.\n',
    `.SH COMMANDS\n${rows.join('')}`,
    '.SH ENVIRONMENT\n',
    ...VARIABLES.map(([name, what]) => `.TP\n\\fB${name}\\fR\n${roff(what)}\n`),
    '.SH EXIT STATUS\n.TP\n0\nThe command succeeded.\n.TP\n1\nThe build or the check failed.\n.TP\n2\nThe command line is wrong.\n.TP\n130\nThe command was interrupted.\n',
    '.SH EXAMPLES\n.TP\n\\fBtbuild \\-t app:1 .\\fR\nBuild the Dockerfile here into the local store.\n.TP\n\\fBtbuild \\-t registry.example/app:1 \\-\\-push .\\fR\nBuild and push.\n',
  ].join('');
}

const VARIABLES = [
  ['TBUILD_ROOT', 'The store.'],
  ['TBUILD_MAX_USED_SPACE', 'Keeps the build cache below this size (80 % of the disk, at most 100 GB).'],
  ['TBUILD_MIN_FREE_SPACE', 'Shrinks the build cache until the disk has this much free (10 %, at most 20 GB).'],
  ['TBUILD_RESERVED_SPACE', 'How much of the build cache stays even then.'],
  ['TBUILD_MIN_DOWNLOAD_RATE', 'How slow a server may be: bytes a second, and for how long (1kib/30s; 0: any).'],
  ['TBUILD_SERVER_TIMEOUT', 'How long a server may be silent (2m).'],
  ['TBUILD_UNPACK_LIMITS', 'What a layer or an archive may unpack to (size=500gb,entries=20m,memory=500mb).'],
  ['TBUILD_REGISTRY_MIRRORS', 'Mirrors of registries, with ";" between.'],
  ['BUILDKIT_PROGRESS', 'How progress is shown, when --progress is not given.'],
  ['BUILDKIT_COLORS', 'The colours of steps on a terminal, such as run=green:error=255,0,0.'],
  ['BUILDKIT_TTY_LOG_LINES', 'How many lines of output a running step shows on a terminal (6).'],
  ['NO_COLOR', 'Leaves out all colours, with any value.'],
  ['SOURCE_DATE_EPOCH', 'The time of the image, for reproducible builds.'],
] as const;

function options(flags: Flags): string {
  const shown = Object.entries(flags).filter(([, { hidden }]) => hidden === undefined);
  if (shown.length === 0) return '';
  const rows = shown.map(([name, { short, kind, value = 'VALUE', help }]) => {
    const names = [...(short === undefined ? [] : [`-${short}`]), `--${name}`].map((one) => `\\fB${roff(one)}\\fR`);
    const argument =
      kind === 'switch' ? '' : kind === 'optional' ? `[=\\fI${roff(value)}\\fR]` : ` \\fI${roff(value)}\\fR`;
    return `.TP\n${names.join(', ')}${argument}\n${roff(help)}.\n`;
  });
  return `.SH OPTIONS\n${rows.join('')}`;
}

function lowered(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** Escapes what roff reads as its own. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '...')
    .replace(/^([.'])/gm, '\\&$1');
}
