import { mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
// Runs a TypeScript program of test/ on the oldest supported Node: node test/support/run-ts.mjs FILE [ARGUMENT ...]
import { build } from 'esbuild';

const entry = resolve(process.argv[2]);
// Git and knip ignore the directory, where a killed run leaves the file.
const outfile = join(import.meta.dirname, `../../.cache/run-${process.pid}.mjs`);
process.on('exit', () => rmSync(outfile, { force: true }));
mkdirSync(dirname(outfile), { recursive: true });
await build({
  entryPoints: [entry],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  define: { 'import.meta.dirname': JSON.stringify(dirname(entry)) },
  plugins: [{ name: 'own packages', setup: bundleOwnPackages }],
});
process.argv.splice(1, 2, entry);
await import(pathToFileURL(outfile));

/** Node does not load the TypeScript of the packages of this repository. */
function bundleOwnPackages({ onResolve }) {
  const { resolve } = createRequire(import.meta.url);
  onResolve({ filter: /^@tbuild\// }, ({ path }) => ({ path: resolve(path) }));
}
