import { chmodSync, existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SEMANTICS } from '../../../packages/builder/src/ops/key-of.ts';
import { buildContext, good, writeFiles } from '../../support/tbuild.ts';

// The layers that steps make of fixed input, recorded in test/goldens/layers.json with the version of what steps mean.
// After a change on purpose raise SEMANTICS in packages/builder/src/ops/key-of.ts, then run with UPDATE_GOLDENS=1.

const goldens = join(import.meta.dirname, '../../goldens/layers.json');

/** 2020-09-13 12:26:40. */
const TIME = 1_600_000_000;

const FILES = { a: 'a\n', 'd/b': 'b\n', 'd/e/c': 'c\n', run: '#!/bin/sh\n' };

const CASES: Readonly<Record<string, string>> = {
  'COPY of files and directories': 'COPY . /to/',
  'COPY of one file to a new name': 'COPY a /new/name',
  'COPY --chown --chmod': 'COPY --chown=33:34 --chmod=751 d /d',
  'COPY --parents': 'COPY --parents d/e/c /p/',
  'COPY --link': 'COPY --link a /linked/',
  'COPY of a heredoc': 'COPY <<EOF /here/doc\ntext\nEOF',
  'ADD of files': 'ADD d/b run /added/',
  WORKDIR: 'WORKDIR /work/deep',
  'WORKDIR of a user': 'USER 1000:1000\nWORKDIR /home/user',
};

async function layersOf(instructions: string): Promise<readonly string[]> {
  const context = writeFiles({
    ...FILES,
    Dockerfile: `FROM scratch\n${instructions}\n`,
    '.dockerignore': 'Dockerfile\n.dockerignore\n',
  });
  for (const name of [...Object.keys(FILES), 'Dockerfile', 'd/e', 'd', '.']) {
    chmodSync(join(context, name), ['d/e', 'd', '.', 'run'].includes(name) ? 0o755 : 0o644);
    utimesSync(join(context, name), TIME, TIME);
  }
  const build = good(await buildContext(context));
  return build.image().config.rootfs.diff_ids;
}

test('steps give the recorded layers, or SEMANTICS was raised', async () => {
  const layers: Record<string, readonly string[]> = {};
  for (const [name, instructions] of Object.entries(CASES)) layers[name] = await layersOf(instructions);
  const found = { semantics: SEMANTICS, layers };
  if (process.env.UPDATE_GOLDENS === '1') {
    const before = existsSync(goldens) ? JSON.parse(readFileSync(goldens, 'utf8')) : undefined;
    if (before?.semantics === SEMANTICS) expect(layers, 'raise SEMANTICS: the layers changed').toEqual(before.layers);
    writeFileSync(goldens, `${JSON.stringify(found, null, 2)}\n`);
  }
  expect(found).toEqual(JSON.parse(readFileSync(goldens, 'utf8')));
});
