import type { Kind } from './kinds-of.ts';
import { cTemplate } from './kinds/c.ts';
import { goTemplate } from './kinds/go.ts';
import { javaTemplate } from './kinds/java.ts';
import { nodeTemplate } from './kinds/node.ts';
import { phpTemplate } from './kinds/php.ts';
import { pythonTemplate } from './kinds/python.ts';
import { rustTemplate } from './kinds/rust.ts';
import { staticTemplate } from './kinds/static.ts';
import type { Line, Template } from './line.ts';
import type { Project } from './project.ts';

/** The texts of the two files. */
export interface InitFiles {
  readonly dockerfile: string;
  readonly ignore: string;
}

const TEMPLATES: Readonly<Record<Kind, (project: Project) => Template>> = {
  node: nodeTemplate,
  python: pythonTemplate,
  go: goTemplate,
  rust: rustTemplate,
  java: javaTemplate,
  php: phpTemplate,
  c: cTemplate,
  static: staticTemplate,
};

/** What no image of any project needs, and what must not get into one. */
const IGNORED = [
  '.git',
  '.gitignore',
  '.gitlab-ci.yml',
  '.github',
  'Dockerfile',
  '.dockerignore',
  '*.md',
  '.env',
  '.env.*',
];

/** Returns the files for a project. `explain` puts the reason of a line above it. */
export function filesFor(kind: Kind, project: Project, { explain }: { readonly explain: boolean }): InitFiles {
  const { lines, ignored } = TEMPLATES[kind](project);
  return {
    dockerfile: `${lines.map((line) => written(line, explain)).join('\n')}\n`,
    ignore: `${[...IGNORED, ...ignored].join('\n')}\n`,
  };
}

function written({ text, why }: Line, explain: boolean): string {
  return explain && why !== undefined ? `${wrapped(why)}\n${text}` : text;
}

/** Returns a comment of lines that fit on a screen. */
function wrapped(text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last.length + word.length > 96) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.map((one) => `# ${one}`).join('\n');
}
