import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandLineCases } from '../../goldens/cases/command-line.ts';
import { fileCases } from '../../goldens/cases/files.ts';
import { meaningCases } from '../../goldens/cases/meaning.ts';
import { outputCases } from '../../goldens/cases/outputs.ts';
import { runCases } from '../../goldens/cases/run.ts';
import { syntaxCases } from '../../goldens/cases/syntax.ts';
import type { MessageCase } from '../../goldens/message-case.ts';
import { baseImageArguments } from '../../support/base-images.ts';
import { program } from '../../support/program.ts';
import { startRegistry, type Registry } from '../../support/registry.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { runTbuild, writeFiles } from '../../support/tbuild.ts';
import { startTokenRegistry, type TokenRegistry } from '../../support/token-registry.ts';

// Every case runs for real, and `messages.md` must match its output. `UPDATE_GOLDENS=1` rewrites the file;
// read the difference before you commit it.
const golden = join(import.meta.dirname, '../../goldens/messages.md');
const update = process.env.UPDATE_GOLDENS === '1';

const themes: Readonly<Record<string, readonly MessageCase[]>> = {
  'The Dockerfile cannot be read': syntaxCases,
  'The Dockerfile cannot be built': meaningCases,
  'Files and contexts': fileCases,
  RUN: runCases,
  'The command line': commandLineCases,
  'Outputs, caches, images and registries': outputCases,
};

const beginning = `# Messages

What tbuild prints when something fails, as people see it: made by \`test/e2e/program/messages.test.ts\` from runs of the
program. \`UPDATE_GOLDENS=1 npx vitest run test/e2e/program/messages.test.ts\` rewrites this file.
`;

describe('messages.md matches the output of the program:', needs('root', 'registry'), () => {
  let registry: Registry;
  let locked: TokenRegistry;
  const sections = new Map<string, string>();
  const known = existsSync(golden) ? readFileSync(golden, 'utf8') : '';

  beforeAll(async () => {
    registry = await startRegistry();
    locked = await startTokenRegistry();
  });
  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    await locked[Symbol.asyncDispose]();
    if (update) writeFileSync(golden, wholeFile(sections));
  });

  test.concurrent.for(Object.values(themes).flatMap((cases) => cases.map((one) => [one.title, one] as const)))(
    '%s',
    async ([title, one]) => {
      const section = await sectionOf(one, { REGISTRY: registry.host, PRIVATE: locked.host });
      sections.set(title, section);
      if (!update) expect(section).toBe(sectionIn(known, title));
    },
  );

  test('it has exactly these sections', () => {
    const titles = Object.values(themes).flatMap((cases) => cases.map(({ title }) => title));
    expect(new Set(titles).size).toBe(titles.length);
    if (!update) expect([...known.matchAll(/^### (.*)$/gm)].map(([, title]) => title)).toEqual(titles);
  });
});

function wholeFile(sections: ReadonlyMap<string, string>): string {
  const parts = Object.entries(themes).map(([theme, cases]) =>
    [`\n## ${theme}\n`, ...cases.map(({ title }) => `\n### ${title}\n\n${sections.get(title)}`)].join(''),
  );
  return beginning + parts.join('');
}

function sectionIn(text: string, title: string): string | undefined {
  const begin = text.indexOf(`### ${title}\n\n`);
  if (begin < 0) return undefined;
  const body = text.slice(begin + `### ${title}\n\n`.length);
  const end = body.search(/\n#{2,3} /);
  return end < 0 ? body : body.slice(0, end);
}

/** Runs the case in a directory of its own and returns its Dockerfile, its command line and what it printed. */
async function sectionOf(
  { files, args = ['.'], env = {}, prepare }: MessageCase,
  { REGISTRY, PRIVATE }: Readonly<Record<'REGISTRY' | 'PRIVATE', string>>,
): Promise<string> {
  const withHosts = (one: string): string => one.replaceAll('REGISTRY', REGISTRY).replaceAll('PRIVATE', PRIVATE);
  const text = withHosts(files?.Dockerfile ?? '');
  const cwd = writeFiles({ Dockerfile: 'FROM scratch\nCOPY . /\n', ...files, ...(text && { Dockerfile: text }) });
  const store = scratchDirectory('store');
  const home = scratchDirectory('home');
  if (prepare !== undefined) {
    const PATH = `${dirname(program)}:${process.env.PATH}`;
    await runChecked('sh', ['-c', prepare], { cwd, env: { PATH, TBUILD_ROOT: store, HOME: home } });
  }
  const words = args.map(withHosts);
  const base = text.includes('FROM busybox') ? baseImageArguments() : [];
  const surroundings = { HOME: home, BUILDKIT_PROGRESS: 'quiet', ...env };
  const { exitCode, stdout, stderr } = await runTbuild([...base, ...words], { cwd, store, env: surroundings });
  expect(exitCode, stdout).not.toBe(0);
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value} `);
  const command = `$ ${variables.join('')}tbuild ${words.map(quoted).join(' ')}\n`;
  const images = base[1]?.replace(/^busybox=oci-layout:\/\//, '') ?? '/no/images';
  const places = {
    [images]: '/images/busybox',
    [cwd]: '/project',
    [store]: '/store',
    [home]: '/home/me',
    [REGISTRY]: '127.0.0.1:50000',
    [PRIVATE]: '127.0.0.1:60000',
  };
  const shown = neutral(`${command}${stdout}${stderr}[exit code ${exitCode}]\n`, places);
  return `${text === '' ? '' : fenced('dockerfile', neutral(text, places))}${fenced('console', shown)}`;
}

const fenced = (language: string, text: string): string => `\`\`\`${language}\n${text}\`\`\`\n`;

const quoted = (word: string): string => (/^[\w./:=,@-]+$/.test(word) ? word : `'${word}'`);

/** Replaces paths, digests and times that differ from run to run (the registry has a port of five digits). */
function neutral(text: string, places: Readonly<Record<string, string>>): string {
  const placed = Object.entries(places).reduce((result, [path, name]) => result.replaceAll(path, name), text);
  return placed
    .replace(/\b[0-9a-f]{64}\b/g, '<digest>')
    .replace(/\b[0-9a-z]{25}$/gm, '<build>')
    .replace(/^\d+\.\d+ /gm, '0.1 ')
    .replace(/ after \d+ ms/g, ' after 1 ms');
}
