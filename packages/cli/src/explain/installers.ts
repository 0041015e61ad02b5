import type { BuildContext } from '@tbuild/context';
import { hasCode } from '@tbuild/errors';

/** A command that installs what manifests name. */
export interface Installation {
  /** The command as people write it, such as `npm ci`. */
  readonly command: string;
  /** The manifests that the context has, the first of which must be there. */
  readonly manifests: readonly string[];
}

interface Installer {
  /** Returns whether a command installs everything that the manifests name, and nothing else. */
  matches(words: readonly string[]): boolean;
  /** What it reads, the main one first. */
  manifests(words: readonly string[]): readonly string[];
  /** What in a manifest says that it needs other files of the project too. */
  readonly needsMore: RegExp;
  /** Files beside the manifests that say the same. */
  readonly unless?: readonly string[];
}

/** Scripts that run at the installation, workspaces, and packages in directories. */
const NODE_NEEDS_MORE = /"(?:(?:pre|post)?install|prepare|prepublish|workspaces)"\s*:|"(?:file|link|portal|workspace):/;

/** Options of an installation elsewhere, or of none. */
const ELSEWHERE = /^(?:-g|-C|-v|-h|--(?:global|prefix|cwd|dir|version|help)(?:=.*)?)$/;

const plain = (words: readonly string[], from: number): boolean =>
  words.slice(from).every((word) => word.startsWith('-') && !ELSEWHERE.test(word));

const INSTALLERS: readonly Installer[] = [
  {
    matches: (words) => words[0] === 'npm' && ['ci', 'install', 'i'].includes(words[1] ?? '') && plain(words, 2),
    manifests: () => ['package.json', 'package-lock.json', 'npm-shrinkwrap.json', '.npmrc'],
    needsMore: NODE_NEEDS_MORE,
  },
  {
    matches: (words) => words[0] === 'yarn' && plain(words, words[1] === 'install' ? 2 : 1),
    manifests: () => ['package.json', 'yarn.lock', '.yarnrc', '.yarnrc.yml'],
    needsMore: NODE_NEEDS_MORE,
    unless: ['.yarn'],
  },
  {
    matches: (words) => words[0] === 'pnpm' && ['install', 'i'].includes(words[1] ?? '') && plain(words, 2),
    manifests: () => ['package.json', 'pnpm-lock.yaml', '.npmrc'],
    needsMore: NODE_NEEDS_MORE,
    unless: ['pnpm-workspace.yaml', 'patches'],
  },
  {
    matches: (words) => requirementsOf(words) !== undefined,
    manifests: (words) => requirementsOf(words) ?? [],
    needsMore: /^\s*(?:-[erc]|--(?:editable|requirement|constraint)|\.|file:|[^\s#:]*\/)|@\s*file:/m,
  },
  {
    matches: (words) => words[0] === 'bundle' && words[1] === 'install' && plain(words, 2),
    manifests: () => ['Gemfile', 'Gemfile.lock'],
    needsMore: /^\s*gemspec\b|\bpath\b|\bFile\b|\bruby file:/m,
  },
  {
    matches: (words) => words[0] === 'go' && words[1] === 'mod' && words[2] === 'download',
    manifests: () => ['go.mod', 'go.sum'],
    needsMore: /=>\s*\.{1,2}\//,
    unless: ['go.work', 'vendor'],
  },
];

/** Returns whether a command installs what manifests name. */
export function isInstaller(words: readonly string[]): boolean {
  return INSTALLERS.some(({ matches }) => matches(words));
}

/** Returns whether a command is one of a program that also installs. */
export function usesInstaller([program = '']: readonly string[]): boolean {
  return /^(?:npm|yarn|pnpm|pip3?|python3?|bundle|go)$/.test(program);
}

/** Returns the files of `pip install -r FILE …`; undefined for another command. */
function requirementsOf(words: readonly string[]): readonly string[] | undefined {
  const rest = words[1] === '-m' && /^python3?$/.test(words[0] ?? '') ? words.slice(2) : words;
  if (!/^pip3?$/.test(rest[0] ?? '') || rest[1] !== 'install') return undefined;
  const files: string[] = [];
  for (let at = 2; at < rest.length; at++) {
    const word = rest[at] ?? '';
    if (word === '-r' || word === '--requirement') files.push(rest[++at] ?? '');
    else if (!word.startsWith('-')) return undefined;
  }
  return files.length > 0 && files.every((file) => /^[\w.-]+$/.test(file)) ? files : undefined;
}

/**
 * Returns the installation that a command is, if it needs nothing of the context besides manifests in the directory
 * `below`.
 */
export function installationOf(
  words: readonly string[],
  context: BuildContext,
  below: string,
): Installation | undefined {
  const installer = INSTALLERS.find(({ matches }) => matches(words));
  if (installer === undefined) return undefined;
  const read = (name: string): string | undefined => textOf(context, below + name);
  const present = installer.manifests(words).filter((name) => read(name) !== undefined);
  const [main = ''] = installer.manifests(words);
  const isWhole =
    present[0] === main && !(installer.unless ?? []).some((name) => context.tree.stat(below + name) !== undefined);
  if (!isWhole || present.some((name) => !isLock(name) && installer.needsMore.test(read(name) ?? ''))) return undefined;
  return { command: words.join(' '), manifests: present };
}

/** A lock file repeats what its manifest says, in a form of its own. */
function isLock(name: string): boolean {
  return /lock|\.sum$|shrinkwrap/.test(name);
}

function textOf({ tree, readText }: BuildContext, path: string): string | undefined {
  if (tree.stat(path) === undefined) return undefined;
  try {
    return readText(path);
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND') || hasCode(error, 'CONTEXT')) return undefined;
    throw error;
  }
}
