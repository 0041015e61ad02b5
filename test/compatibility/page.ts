import { TbuildError } from '@tbuild/errors';
import type { Flag } from '../../packages/cli/src/flags/args.ts';
import { buildFlags } from '../../packages/cli/src/flags/build-flags.ts';
import { foreignOptions } from '../../packages/cli/src/flags/foreign-options.ts';
import { ignoredFlags } from '../../packages/cli/src/flags/ignored-flags.ts';
import { cacheExport, cacheImport } from '../../packages/cli/src/request/cache-spec.ts';
import { outputSpec } from '../../packages/cli/src/request/output-spec.ts';
import { buildOptions, commands } from './build-options.ts';
import { cacheSources, cacheTargets, outputs } from './output-options.ts';
import type { Row } from './row.ts';
import { buildArguments, variables } from './variables.ts';

const CWD = '/work';
const HOST = { os: 'linux', architecture: 'amd64' };

/** Every row of the page, by its section. */
export const sections: Readonly<Record<string, readonly Row[]>> = {
  'Options of a build': buildOptions,
  Commands: commands,
  'Environment variables': variables,
  'Build arguments of the builder': buildArguments,
  'Outputs: --output': outputs,
  'Caches: --cache-from': cacheSources,
  'Caches: --cache-to': cacheTargets,
};

/** How each section finds out what a row comes to. Rows of the others work, as their tests say. */
const readers: Readonly<Record<string, (name: string) => string>> = {
  'Options of a build': optionStatus,
  'Outputs: --output': (name) => parsed(() => outputSpec(name, { cwd: CWD, host: HOST })),
  'Caches: --cache-from': (name) => parsed(() => cacheImport(name, { cwd: CWD, variables: {} })),
  'Caches: --cache-to': (name) => parsed(() => cacheExport(name, { cwd: CWD, variables: {} })),
};

/** Returns the text of docs/compatibility.md. */
export function compatibilityPage(): string {
  const tables = Object.entries(sections).map(([title, rows]) => table(title, rows, readers[title] ?? (() => WORKS)));
  return [
    '# Compatibility with Docker\n',
    'What `docker buildx` and `docker build` take, and what comes of it in tbuild. [Differences](differences.md) says why',
    'results differ where they do. `test/compatibility.test.ts` makes this page from the tables of options:',
    '`UPDATE_GOLDENS=1 npx vitest run test/compatibility.test.ts`. Each row names the test that runs it.\n',
    ...tables,
    foreignTable(),
  ].join('\n');
}

const WORKS = 'works';

function table(title: string, rows: readonly Row[], statusOf: (name: string) => string): string {
  const lines = rows.map(({ name, test, differs }) => {
    const status = statusOf(name);
    const shown = differs === undefined || status !== WORKS ? status : withWord(differs);
    return `| \`${name}\` | ${cell(shown)} | \`${test.split('/').at(-1)}\` |`;
  });
  return [`## ${title.replace(/: (.*)/, ' (`$1`)')}\n`, '| | in tbuild | test |', '|---|---|---|', ...lines, ''].join(
    '\n',
  );
}

/** What is accepted without effect, or refused, says so itself. */
function withWord(differs: string): string {
  return /^(?:accepted|ignored|refused)/.test(differs) ? differs : `differs: ${differs}`;
}

/** Looks an option up in the table of the command line. */
function optionStatus(option: string): string {
  const name = option.replace(/^--/, '');
  const ignored: Readonly<Record<string, Flag>> = ignoredFlags;
  const known: Readonly<Record<string, Flag>> = buildFlags;
  if (Object.hasOwn(ignored, name)) return `accepted: ${lowerCased(ignored[name]?.help ?? '')}`;
  if (Object.hasOwn(known, name)) return WORKS;
  if (Object.hasOwn(foreignOptions, name)) return `refused: ${foreignOptions[name]}`;
  throw new Error(`Option ${option} is in no table`);
}

function parsed(parse: () => unknown): string {
  try {
    parse();
    return WORKS;
  } catch (error) {
    if (!(error instanceof TbuildError)) throw error;
    return `refused: ${error.hint ?? error.message}`;
  }
}

function foreignTable(): string {
  const rows = Object.entries(foreignOptions).map(([name, hint]) => `| \`--${name}\` | ${cell(hint)} |`);
  return [
    '## Options of kaniko and Buildah\n',
    'Each of these is refused, and the message says what to use:\n',
    '| | in tbuild |',
    '|---|---|',
    ...rows.sort(),
    '',
  ].join('\n');
}

function lowerCased(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}

/** Words in angle brackets and bars would end a cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
