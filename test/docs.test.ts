import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');

/** Every page of the repository, but those of conformance cases, which are contexts. */
const pages = ['.', 'docs', 'docs/decisions', 'packages/*', 'test', 'fixtures'].flatMap(foldersAt).flatMap(pagesIn);

function foldersAt(pattern: string): string[] {
  if (!pattern.endsWith('/*')) return [pattern];
  const parent = pattern.slice(0, -2);
  return readdirSync(join(root, parent)).map((name) => join(parent, name));
}

function pagesIn(folder: string): string[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));
}

/** The text outside of code blocks, which may hold anything. */
const prose = (page: string): string =>
  readFileSync(join(root, page), 'utf8').replace(/^( *)(```|~~~)[\s\S]*?^\1\2$/gm, '');

describe('the links of every page lead somewhere:', () => {
  test.each(pages)('%s', (page) => {
    const links = [...prose(page).matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
    const local = links.filter((link) => !/^[a-z]+:/.test(link));
    expect(local.filter((link) => !leadsSomewhere(link, page))).toEqual([]);
  });
});

function leadsSomewhere(link: string, page: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? join(root, page) : resolve(root, dirname(page), path);
  if (!existsSync(target)) return false;
  return anchor === undefined || anchorsIn(relative(root, target)).includes(anchor);
}

/** The anchors that GitHub and GitLab give to headings. */
function anchorsIn(page: string): string[] {
  const headings = [...prose(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  return headings.map((heading) => slug(heading.replaceAll('`', '')));
}

const slug = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const SOURCE = /\.(?:ts|tsx|mjs|sh|md)$/;

/** Every file of this repository that is not made by a program, by its path from the root. */
const files = ['docs', 'fixtures', 'packages', 'test'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => !/(?:^|\/)(?:node_modules|dist|results)\//.test(path))
    .map((path) => join(folder, path)),
);

describe('the files that every page names exist:', () => {
  test.each(pages)('%s', (page) => {
    const names = [...prose(page).matchAll(/`([\w@./-]+)`/g)].map(([, name = '']) => name);
    expect(names.filter((name) => isOurs(name) && !exists(name.replace(/\/$/, ''), page))).toEqual([]);
  });
});

/** Sources and paths into the folders of this repository; other paths are of stores, contexts and machines. */
function isOurs(name: string): boolean {
  return !name.includes('NAME') && (/^(?:packages|test|fixtures|docs)\/./.test(name) || SOURCE.test(name));
}

/** The README of a package names the files of that package without its folder. */
function exists(name: string, page: string): boolean {
  const folder = page.startsWith('packages/') ? `${dirname(page)}/` : '';
  const isThere = (path: string): boolean => path === name || path.endsWith(`/${name}`);
  return existsSync(join(root, name)) || files.some((path) => path.startsWith(folder) && isThere(path));
}

/** The keys of the tables of flags. */
const options = files
  .filter((path) => /^packages\/cli\/src\/(?:flags|commands)\/.*\.ts$/.test(path))
  .flatMap((path) => [...readFileSync(join(root, path), 'utf8').matchAll(/^\s*'?([a-z][a-z-]+)'?: \{? ?/gm)])
  .map(([, key]) => key);

describe('the options of tbuild that every page uses exist:', () => {
  test.each(pages)('%s', (page) => {
    const lines = readFileSync(join(root, page), 'utf8').match(/^(?:\w+=\S+ )*tbuild .*$/gm) ?? [];
    const used = lines.flatMap((line) => [...(line.split(/[|#&]/)[0] ?? '').matchAll(/ --([a-z-]+)/g)]);
    expect(used.map(([, name = '']) => name).filter((name) => !options.includes(name))).toEqual([]);
  });
});

test('every decision is in the list of decisions', () => {
  const list = readFileSync(join(root, 'docs/decisions/README.md'), 'utf8');
  const decisions = readdirSync(join(root, 'docs/decisions')).filter((name) => /^\d/.test(name));
  expect(decisions.filter((name) => !list.includes(`(${name})`))).toEqual([]);
});

test.each(['README.md', 'docs/ci.md', 'docs/gitlab.md', 'docs/coming-from.md', 'templates/build.yml'])(
  '%s names the present version of tbuild',
  (page) => {
    const { version } = JSON.parse(readFileSync(join(root, 'packages/cli/package.json'), 'utf8'));
    const named = readFileSync(join(root, page), 'utf8').matchAll(/\btbuild(?:-cli-|[:_@-]|\/build@)(\d+\.\d+\.\d+)/g);
    expect(new Set([...named].map(([, one]) => one))).toEqual(new Set([version]));
  },
);
