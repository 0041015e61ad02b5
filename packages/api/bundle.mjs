import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { rollTypes } from './roll-types.mjs';

const here = import.meta.dirname;
const entry = join(here, 'src/index.ts');
const dist = join(here, 'dist');

/** What is published: the interface for programs alone, in one script and one file of types. */
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
await build({
  entryPoints: [entry],
  outfile: join(dist, 'index.js'),
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
});
const types = mkdtempSync(join(tmpdir(), 'types-'));
try {
  declareTypes(types);
  writeFileSync(join(dist, 'index.d.ts'), rollTypes(types, 'api/src/index.d.ts'));
} finally {
  rmSync(types, { recursive: true });
}

/** Writes the declarations of every file that the entry reaches, below `outDir` by package. */
function declareTypes(outDir) {
  const config = join(outDir, 'tsconfig.json');
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: join(here, '..'),
    outDir,
    // What is found in node_modules would be somebody else's, and not written.
    paths: { '@tbuild/*': [join(here, '../*/src/index.ts')] },
    typeRoots: [join(here, '../../node_modules/@types')],
  };
  writeFileSync(
    config,
    JSON.stringify({ extends: join(here, '../../tsconfig.json'), compilerOptions, files: [entry], include: [] }),
  );
  const { status, stdout } = spawnSync(join(here, '../../node_modules/.bin/tsc'), ['-p', config], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`The types cannot be made:\n${stdout}`);
}
