import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runBake, imageTree, type Bake } from '../../support/bake.ts';
import { scratchDirectory } from '../../support/scratch.ts';

const ROOT = join(import.meta.dirname, '../../..');
const LAYOUTS = join(ROOT, 'fixtures/bake-layouts');

/** Builds a layout in a copy of its directory. */
async function bakeLayout(
  name: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Bake> {
  const directory = scratchDirectory(name);
  cpSync(join(LAYOUTS, name), directory, { recursive: true });
  const bake = await runBake(directory, args, { env });
  if (bake.exitCode !== 0) throw new Error(bake.stderr);
  return bake;
}

test('the single service is built', async () => {
  const bake = await bakeLayout('single-service', ['--set', '*.args.GREETING=Good day']);
  expect(imageTree(bake, 'hello:dev').readText('/app/greeting')).toBe('Good day\n');
});

test('the matrix over versions is built from one file, and a target of it alone', async () => {
  const bake = await bakeLayout('version-matrix', ['tool-1_1-full', 'tool-2_0-slim']);
  expect(imageTree(bake, 'tool:1.1').readText('/version')).toBe('1.1\n');
  expect(imageTree(bake, 'tool:1.1').readText('/manual.txt')).toContain('How to use');
  expect(imageTree(bake, 'tool:2.0-slim').readText('/version')).toBe('2.0\n');
  const other = await bakeLayout('version-matrix', [], { VERSIONS: '3.0' });
  expect(Object.keys(other.metadata())).toEqual(['tool-3_0-slim', 'tool-3_0-full']);
});

test('the monorepo builds its base once, and the services on it', async () => {
  const bake = await bakeLayout('monorepo');
  for (const name of ['api', 'web']) {
    const tree = imageTree(bake, `example/${name}`);
    expect(tree.readText('/shared')).toBe('shared\n');
    expect(tree.readText('/main.sh')).toContain(name);
  }
  expect(bake.stderr.match(/\[base .*\] RUN echo shared/g)).toHaveLength(1);
});

test('the compose project builds its services with the variables of .env', async () => {
  const bake = await bakeLayout('compose-project', [], { MODE: 'test' });
  expect(imageTree(bake, 'shop/worker:7').readText('/api-mode')).toBe('test\n');
  expect(imageTree(bake, 'shop/api:latest').readText('/mode')).toBe('test\n');
});

test('the release takes its names from the tag in git', async () => {
  const bake = await bakeLayout('release', [], { GIT_TAG: 'v1.4.2', GIT_COMMIT: 'abc' });
  expect(bake.metadata().default?.['image.name']).toBe(
    'registry.example/app:latest,registry.example/app:1.4,registry.example/app:1.4.2',
  );
  await expect(bakeLayout('release', [], { GIT_TAG: '1.4' })).rejects.toThrow('GIT_TAG has to be like v1.2.3');
});

describe('docs/bake.md shows the files of the layouts:', () => {
  const page = readFileSync(join(ROOT, 'docs/bake.md'), 'utf8');
  const blocks = [...page.matchAll(/`fixtures\/bake-layouts\/([\w/.-]+)`:\n\n```\w*\n(.*?)```/gs)];
  test('all five', () => {
    expect(new Set(blocks.map(([, path = '']) => path.split('/')[0])).size).toBe(5);
  });
  test.each(blocks.map(([, path = '', text = '']) => [path, text] as const))('%s', (path, text) => {
    expect(existsSync(join(LAYOUTS, path))).toBe(true);
    expect(text).toBe(readFileSync(join(LAYOUTS, path), 'utf8'));
  });
});
