import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { planText } from './support/plan-text.ts';

// Each case that parses has a graph.json, its plan for linux/amd64 on images of fixed content, or a
// graph-error.txt, why planning refuses it. `UPDATE_GOLDENS=1` rewrites them.
const root = join(import.meta.dirname, '../fixtures/dockerfiles');
const update = process.env.UPDATE_GOLDENS === '1';

test.each(readdirSync(root).filter((name) => existsSync(join(root, name, 'ast.json'))))('graph of %s', async (name) => {
  const folder = join(root, name);
  const paths = { graph: join(folder, 'graph.json'), error: join(folder, 'graph-error.txt') };
  const outcome = await planText(readFileSync(join(folder, 'Dockerfile'), 'utf8'));
  const refused = typeof outcome === 'string';
  if (update) rmSync(refused ? paths.graph : paths.error, { force: true });
  const [path, actual] = refused ? [paths.error, outcome] : [paths.graph, `${JSON.stringify(outcome, null, 2)}\n`];
  if (update) writeFileSync(path, actual);
  expect(actual).toBe(existsSync(path) ? readFileSync(path, 'utf8') : undefined);
});
