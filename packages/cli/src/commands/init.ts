import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { filesFor, KINDS, kindsOf, openProject, type Kind, type Project } from '@tbuild/init';
import type { Environment } from '../config/environment.ts';
import { parseArgs, type Flags } from '../flags/args.ts';
import { choiceOf } from '../flags/choice.ts';
import { ask } from '../services/ask.ts';
import { type Command, helpOf } from './command.ts';

const flags = {
  'explain-lines': { kind: 'switch', help: 'Say in comments why the lines are as they are' },
  force: { kind: 'switch', help: 'Replace files that exist' },
  print: { kind: 'switch', help: 'Print the Dockerfile and write nothing' },
  type: {
    kind: 'text',
    value: 'KIND',
    help: `The kind of the project: ${KINDS.join(', ')} (default: what its files show)`,
  },
  help: { kind: 'switch', short: 'h', help: 'Show this text' },
} as const satisfies Flags;

export const init: Command = {
  summary: 'Write a Dockerfile and a .dockerignore for a project',
  usage: 'init [OPTIONS] [DIR]',
  flags,
  async run(argv, env) {
    const { flags: given, positional } = parseArgs(argv, flags);
    if (given.help === true) {
      env.stdout.write(helpOf(init));
      return 0;
    }
    const name = positional[0] ?? '.';
    const directory = resolve(env.cwd, name);
    if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true)
      throw new TbuildError('USAGE', `There is no directory ${JSON.stringify(name)}`, {
        hint: 'Name that of the project',
      });
    const project = openProject(directory);
    const kind = given.type === undefined ? await kindFor(project, env) : choiceOf(given.type, KINDS, '--type');
    const { dockerfile, ignore } = filesFor(kind, project, { explain: given['explain-lines'] === true });
    if (given.print === true) {
      env.stdout.write(dockerfile);
      return 0;
    }
    const files = { Dockerfile: dockerfile, '.dockerignore': ignore };
    const present = Object.keys(files).filter((file) => existsSync(join(directory, file)));
    if (present.includes('Dockerfile') && given.force !== true)
      throw new TbuildError('USAGE', 'There is a file "Dockerfile" already', {
        hint: 'Use --force to replace it, or --print to see the other one',
      });
    for (const [file, text] of Object.entries(files)) {
      if (present.includes(file) && given.force !== true) env.stdout.write(`Kept ${file}\n`);
      else {
        writeFileSync(join(directory, file), text);
        env.stdout.write(`Wrote ${file}\n`);
      }
    }
    env.stdout.write(`Build the image (${kind}) with: tbuild -t ${tagFor(project.name)} ${name}\n`);
    return 0;
  },
};

/** Returns the kind that the files show. Asks on a terminal if they show several. */
async function kindFor(project: Project, env: Environment): Promise<Kind> {
  const kinds = kindsOf(project);
  const [only] = kinds;
  if (only === undefined)
    throw new TbuildError(
      'USAGE',
      `The files of ${JSON.stringify(project.name)} do not show what kind of project it is`,
      {
        hint: `Name the kind with --type: ${KINDS.join(', ')}`,
      },
    );
  if (kinds.length === 1) return only;
  const question = `Which kind of project is it: ${kinds.join(', ')}? [${only}]`;
  const answer = env.stdin.isTTY ? await ask(question, env) : undefined;
  if (answer === undefined)
    throw new TbuildError(
      'USAGE',
      `The files of ${JSON.stringify(project.name)} show several kinds: ${kinds.join(', ')}`,
      {
        hint: `Choose one with --type, such as --type ${only}`,
      },
    );
  return answer === '' ? only : choiceOf(answer, KINDS, 'kind');
}

/** Returns a name for the image that a registry accepts. */
function tagFor(name: string): string {
  return (
    name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-+|-+$/g, '') || 'app'
  );
}
