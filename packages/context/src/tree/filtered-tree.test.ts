import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSync } from '@tbuild/concurrency';
import { afterAll, expect, test } from 'vitest';
import { type Random, seededRandom } from '../../../../test/support/random.ts';
import { openContext, selectFiles } from '../index.ts';
import { type IgnorePattern, parseIgnorePattern } from '../patterns/ignore-pattern.ts';

const base = mkdtempSync(join(tmpdir(), 'filtered-tree-'));
afterAll(() => rmSync(base, { recursive: true }));

const NAMES = ['a', 'b', 'keep', 'KEEP', 'x.log', 'y.log', 'a-b', 'é'];
const ELEMENTS = [...NAMES, '*', '**', '*.log', 'k*', '?', 'a*b', '[ab]', '[^a]', '**p', 'a**', String.raw`\a`, '^a'];

test.each([1, 2, 3, 4])('a generated context has the files that a walk of everything keeps: %i', (seed) => {
  const random = seededRandom(seed);
  const root = join(base, String(seed));
  writeTree(root, random, 3);
  for (let at = 0; at < 100; at++) {
    const lines = Array.from({ length: 1 + random.int(5) }, () => line(random));
    writeFileSync(join(root, '.dockerignore'), lines.join('\n'));
    expect({ lines, selected: select(root) }).toEqual({ lines, selected: keptBy(lines, root) });
  }
});

function writeTree(directory: string, random: Random, depth: number): void {
  mkdirSync(directory);
  for (const name of NAMES.filter(() => random.int(4) > 0)) {
    if (depth > 0 && random.int(3) > 0) writeTree(join(directory, name), random, depth - 1);
    else writeFileSync(join(directory, name), '');
  }
}

function line(random: Random): string {
  const elements = Array.from({ length: 1 + random.int(4) }, () =>
    random.pick(random.int(3) === 0 ? ELEMENTS : NAMES.slice(0, 3)),
  );
  return (random.int(2) === 0 ? '!' : '') + elements.join('/');
}

function select(root: string): string[] {
  const [source] = runSync(selectFiles(openContext(root).tree, { sources: [''] }));
  return Array.from(source?.files ?? [], ({ relative }) => relative);
}

/** Docker's rules without a shortcut: looks at each entry with all patterns. */
function keptBy(lines: readonly string[], root: string): string[] {
  const patterns = lines.map((text) => parseIgnorePattern(text)!);
  const prefixes = patterns
    .filter(({ exception }) => exception)
    .map(({ text }) => text.replace(/\/\*\*$/, '').replace(/\/\*$/, ''));
  const comparesText = !prefixes.some((prefix) => /[*[\]?^\\]/.test(prefix));

  function walk(path: string, inherited: ReadonlySet<IgnorePattern>): string[] {
    const entries = readdirSync(join(root, path), { withFileTypes: true });
    const sorted = entries.toSorted((one, other) => Buffer.compare(Buffer.from(one.name), Buffer.from(other.name)));
    return sorted.flatMap((entry) => {
      const child = join(path, entry.name);
      const matched = new Set<IgnorePattern>();
      let ignored = false;
      for (const pattern of patterns) {
        if (!inherited.has(pattern)) {
          if (pattern.exception !== ignored || !pattern.matches(child, child.split('/').length)) continue;
        }
        matched.add(pattern);
        ignored = !pattern.exception;
      }
      if (!entry.isDirectory()) return ignored ? [] : [child];
      if (ignored && comparesText && !prefixes.some((prefix) => `${prefix}/`.startsWith(`${child}/`))) return [];
      const below = walk(child, matched);
      return ignored && below.length === 0 ? [] : [child, ...below];
    });
  }

  return walk('', new Set());
}
