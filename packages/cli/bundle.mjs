import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const here = fileURLToPath(new URL('.', import.meta.url));
const options = {
  absWorkingDir: here,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minify: true,
  legalComments: 'none',
};

/** Node's own modules load nothing unless something of them is used. */
const lazyBuiltins = {
  name: 'lazy-builtins',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^node:/ }, ({ path }) => ({ path, external: true, sideEffects: false })),
};

/** One chunk for each part that is loaded on demand, and many for what parts share. */
const { metafile } = await build({
  ...options,
  entryPoints: { tbuild: 'src/main.ts' },
  outdir: 'dist.new',
  splitting: true,
  metafile: true,
  external: ['koffi'],
  alias: { 'react-devtools-core': './src/no-devtools.ts', 'is-in-ci': './src/not-in-ci.ts' },
  define: {
    TBUILD_VERSION: JSON.stringify(version),
    'process.env.DEV': '"false"',
    'process.env.NODE_ENV': '"production"',
  },
  plugins: [lazyBuiltins],
  // Packages in CommonJS call require for Node's own modules, which are the same from everywhere.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = /* @__PURE__ */ __createRequire('/');",
  },
});
await joinHotPath(metafile.outputs);

// The old bundle stays until the new one is complete.
rmSync(`${here}dist`, { recursive: true, force: true });
renameSync(`${here}dist.new`, `${here}dist`);

/**
 * Puts what is always loaded into one file, since each costs Node more than half a millisecond; in place of
 * its chunks the other parts find names for what is in that file.
 */
async function joinHotPath(outputs) {
  const entry = 'dist.new/tbuild.js';
  const chunks = [...loadedWith(entry, outputs)].filter((path) => path !== entry);
  const named = chunks.flatMap((path, at) =>
    outputs[path].exports.map((name) => ({ path, name, joined: `_${at}_${name}` })),
  );
  const exportsOf = (list, from) =>
    `export{${list.join()}}from${JSON.stringify(`./${from.slice('dist.new/'.length)}`)};`;
  const contents =
    named.map(({ path, name, joined }) => exportsOf([`${name} as ${joined}`], path)).join('') + "import'./tbuild.js';";
  await build({
    ...options,
    stdin: { contents, resolveDir: `${here}dist.new` },
    outfile: 'dist.new/joined.js',
    external: ['koffi'],
    plugins: [
      lazyBuiltins,
      {
        name: 'parts',
        setup: ({ onResolve }) =>
          onResolve({ filter: /^\.\// }, ({ path, kind }) =>
            kind === 'dynamic-import' ? { path, external: true } : undefined,
          ),
      },
    ],
  });
  for (const path of chunks) {
    const names = named.filter((each) => each.path === path).map(({ name, joined }) => `${joined} as ${name}`);
    writeFileSync(here + path, exportsOf(names, entry));
  }
  renameSync(`${here}dist.new/joined.js`, here + entry);
}

function loadedWith(path, outputs, found = new Set()) {
  found.add(path);
  for (const { path: next, kind } of outputs[path].imports) {
    if (kind === 'import-statement' && next in outputs && !found.has(next)) loadedWith(next, outputs, found);
  }
  return found;
}
