import type { CheckOptions } from '@tbuild/dockerfile';
import { hasCode, TbuildError } from '@tbuild/errors';
import { givenCheckOptions } from '@tbuild/frontend';
import type { Environment } from '../config/environment.ts';
import { parseArgs, type FlagValues, type Flags } from '../flags/args.ts';
import { buildFlags } from '../flags/build-flags.ts';
import { foreignOptions } from '../flags/foreign-options.ts';
import { splitPair } from '../flags/pairs.ts';
import { correctFile, type FixableFile, replaceFile } from '../lint/fix-file.ts';
import { unifiedDiff } from '../lint/unified-diff.ts';
import { exitCodeOf, formatError } from '../print/report-error.ts';
import { localDockerfile, placeIn } from '../request/local-dockerfile.ts';
import { buildAsAsked } from './build.ts';
import { type Command, helpOf } from './command.ts';

const { file, target, platform, format, help } = buildFlags;

/** The options of the help text. Every other option of a build is accepted too. */
const lintFlags = {
  fix: { kind: 'switch', help: 'Correct what can be corrected without changing what is built' },
  diff: { kind: 'switch', help: 'Print what --fix would change, and change nothing; the exit code is 1 if it would' },
  file,
  target,
  platform,
  'build-arg': buildFlags['build-arg'],
  'build-context': buildFlags['build-context'],
  format,
  help,
} as const satisfies Flags;

const allFlags = { ...buildFlags, ...lintFlags } as const;

export const lint: Command = {
  summary: 'Check a Dockerfile without building it, and correct it with --fix',
  usage: 'lint [OPTIONS] [CONTEXT|DOCKERFILE]',
  flags: lintFlags,
  async run(argv, env) {
    const { flags: given, positional } = parseArgs(argv, allFlags, foreignOptions);
    if (given.help === true) {
      env.stdout.write(helpOf(lint));
      return 0;
    }
    const { fix = false, diff = false, ...flags } = withPlace(given, positional, env);
    const sources = new Map<string, string>();
    try {
      if (diff) return showDiff(flags, sources, env);
      if (fix && correct(flags, sources, env) === 'printed') return 0;
    } catch (error) {
      const { debug = false } = flags;
      const sourceOf = (file: string) => sources.get(file);
      env.stderr.write(await formatError(error, { debug, sourceOf, columns: env.stderr.columns }));
      return exitCodeOf(error);
    }
    const { context, progress = 'none', ...rest } = flags;
    const asked = { flags: { ...rest, progress, check: true }, positional: [context], onError: 'exit' as const };
    return (await buildAsAsked(asked, env)).exitCode;
  },
};

interface LintFlags extends FlagValues<typeof allFlags> {
  readonly context: string;
}

function withPlace(
  flags: FlagValues<typeof allFlags>,
  [word = '.', ...more]: readonly string[],
  { cwd }: Environment,
): LintFlags {
  if (more.length > 0) throw new TbuildError('USAGE', `Usage: tbuild ${lint.usage}`);
  return { ...flags, ...placeIn(word, flags.file, cwd) };
}

function showDiff(flags: LintFlags, sources: Map<string, string>, env: Environment): number {
  const place = placeOf(flags, env);
  const { before, after } = correctFile(place, optionsOf(flags), sources);
  env.stdout.write(unifiedDiff(before, after, place.name));
  return before === after ? 0 : 1;
}

/** Corrects the Dockerfile in its place, or prints that of standard input. The check reports a syntax error better. */
function correct(flags: LintFlags, sources: Map<string, string>, env: Environment): 'printed' | 'written' {
  const place = placeOf(flags, env);
  const { path, name } = place;
  try {
    const { before, after, fixed } = correctFile(place, optionsOf(flags), sources);
    for (const { rule, line } of fixed) env.stderr.write(`Corrected ${name}:${line} ${rule}\n`);
    if (path === undefined) env.stdout.write(after);
    else if (before !== after) replaceFile(path, after);
  } catch (error) {
    if (path === undefined || !hasCode(error, 'DOCKERFILE_SYNTAX')) throw error;
  }
  return path === undefined ? 'printed' : 'written';
}

function optionsOf({ 'build-arg': args = [] }: LintFlags): CheckOptions | undefined {
  return givenCheckOptions(Object.fromEntries(args.map(splitPair)));
}

/** @throws TbuildError USAGE for a Dockerfile that is not a file here. */
function placeOf({ file, context }: LintFlags, { cwd }: Environment): FixableFile {
  if (file === '-' || (context === '-' && file === undefined)) return { name: 'Dockerfile' };
  return localDockerfile({ file, context }, cwd);
}
