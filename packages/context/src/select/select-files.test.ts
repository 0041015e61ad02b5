import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runSync } from '@tbuild/concurrency';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openContext, selectFiles, type SelectOptions } from '../index.ts';

const root = mkdtempSync(join(tmpdir(), 'select-files-'));

beforeAll(() => {
  for (const file of [
    'a.txt',
    'b.txt',
    'src/main.ts',
    'src/lib/x.ts',
    'src/lib/y.md',
    'docs/a.md',
    'skip/z',
    'keep/in',
    'keep/out',
    'weird*',
  ]) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), file);
  }
  mkdirSync(join(root, 'empty'));
  symlinkSync('src', join(root, 'link'));
  symlinkSync('nowhere', join(root, 'broken'));
  symlinkSync('/a.txt', join(root, 'absolute'));
  symlinkSync('../../../../a.txt', join(root, 'src/up'));
  chmodSync(join(root, 'src'), 0o750);
  writeFileSync(join(root, '.dockerignore'), 'skip\nkeep\n!keep/in\n.dockerignore\n');
});
afterAll(() => rmSync(root, { recursive: true }));

/** `name<path of the entry>` and, in parentheses, what is below; `~` marks an implied directory. */
function select(options: SelectOptions): string[] {
  return runSync(selectFiles(openContext(root).tree, options)).map((source) => {
    const files = [...source.files].map((file) => (file.implied ? `~${file.relative}` : file.relative)).join(' ');
    return `${source.name}<${source.entry.path}>${files === '' ? '' : ` (${files})`}`;
  });
}

const cases: [options: SelectOptions, expected: string[]][] = [
  [{ sources: ['a.txt'] }, ['a.txt<a.txt>']],
  [{ sources: ['../a.txt', './b.txt'] }, ['a.txt<a.txt>', 'b.txt<b.txt>']],
  [{ sources: ['src'] }, ['src<src> (lib lib/x.ts lib/y.md main.ts up)']],
  [{ sources: ['link'] }, ['link<src> (lib lib/x.ts lib/y.md main.ts up)']],
  [{ sources: ['link/main.ts'] }, ['main.ts<src/main.ts>']],
  [{ sources: ['absolute', 'src/up'] }, ['absolute<a.txt>', 'up<a.txt>']],
  [{ sources: ['keep'] }, ['keep<keep> (in)']],
  [{ sources: ['empty'] }, ['empty<empty>']],
  [{ sources: ['*.txt'] }, ['a.txt<a.txt>', 'b.txt<b.txt>']],
  [{ sources: ['*.none'] }, []],
  [{ sources: ['s*/*.ts'] }, ['main.ts<src/main.ts>']],
  [{ sources: ['link/*.ts'] }, ['main.ts<src/main.ts>']],
  [{ sources: ['l*k'] }, ['link<src> (lib lib/x.ts lib/y.md main.ts up)']],
  [{ sources: ['s*'] }, ['src<src> (lib lib/x.ts lib/y.md main.ts up)']],
  [{ sources: ['weird[*]'] }, ['weird*<weird*>']],
  [{ sources: ['a.txt/*'] }, []],
  [{ sources: ['src'], exclude: ['lib'] }, ['src<src> (main.ts up)']],
  [{ sources: ['src'], exclude: ['**/*.md', 'up'] }, ['src<src> (lib lib/x.ts main.ts)']],
  [{ sources: ['src'], exclude: ['lib', '!lib/x.ts'] }, ['src<src> (~lib lib/x.ts main.ts up)']],
  [{ sources: ['*.txt'], exclude: ['a.txt'] }, ['a.txt<a.txt>', 'b.txt<b.txt>']],
  [{ sources: ['src/lib/x.ts'], parents: true }, ['<> (~src ~src/lib src/lib/x.ts)']],
  [{ sources: ['src/lib'], parents: true }, ['<> (~src src/lib src/lib/x.ts src/lib/y.md)']],
  [{ sources: ['src/./lib/*.ts'], parents: true }, ['src<src> (~lib lib/x.ts)']],
  [{ sources: ['**/*.ts'], parents: true }, ['<> (~src ~src/lib src/lib/x.ts src/main.ts)']],
  [{ sources: ['**/*.none'], parents: true }, ['<>']],
  [{ sources: ['src'], parents: true, exclude: ['src/lib'] }, ['<> (src src/main.ts src/up)']],
];

test.each(cases)('selectFiles(%j) selects these files', (options, expected) => {
  expect(select(options)).toEqual(expected);
});

const failures: [options: SelectOptions, message: string, hint: string | undefined][] = [
  [{ sources: ['x.none'] }, 'Failed to compute cache key: "/x.none": not found', undefined],
  [{ sources: ['a.tx'] }, 'Failed to compute cache key: "/a.tx": not found', 'Did you mean "a.txt"?'],
  [
    { sources: ['src/mian.ts'] },
    'Failed to compute cache key: "/src/mian.ts": not found',
    'Did you mean "src/main.ts"?',
  ],
  [
    { sources: ['skip/z'] },
    'Failed to compute cache key: "/skip/z": not found',
    'Change .dockerignore, which excludes it',
  ],
  [
    { sources: ['broken'] },
    'Failed to compute cache key: "/broken": not found',
    'Check its target: it is a symbolic link to "nowhere", which is missing',
  ],
  [
    { sources: ['b*'] },
    'Failed to compute cache key: "/broken": not found',
    'Check its target: it is a symbolic link to "nowhere", which is missing',
  ],
  [{ sources: ['zzz/*'] }, 'Failed to compute cache key: "/zzz": not found', undefined],
  [{ sources: ['src/none'], parents: true }, 'Failed to compute cache key: "/src/none": not found', undefined],
];

test.each(failures)('%j fails', (options, message, hint) => {
  expect(() => select(options)).toThrow(expect.objectContaining({ code: 'NOT_FOUND', message, hint }));
});
