import { readFileSync, renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const here = fileURLToPath(new URL('.', import.meta.url));

/** One file for the hot path, and a chunk for each part that is loaded on demand. */
await build({
  absWorkingDir: here,
  entryPoints: { tbuild: 'src/main.ts' },
  outdir: 'dist.new',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minify: true,
  keepNames: true,
  legalComments: 'none',
  external: ['koffi'],
  alias: { 'react-devtools-core': './src/no-devtools.ts' },
  define: { TBUILD_VERSION: JSON.stringify(version), 'process.env.DEV': '"false"', 'process.env.NODE_ENV': '"production"' },
  // Packages in CommonJS call require for Node's own modules.
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
});

// The old bundle stays until the new one is complete.
rmSync('/tmp/images/cli/dist', { recursive: true, force: true });
renameSync(`${here}dist.new`, '/tmp/images/cli/dist');
