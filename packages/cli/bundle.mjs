import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const { version, config } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const here = fileURLToPath(new URL('.', import.meta.url));
const options = {
  absWorkingDir: here,
  bundle: true,
  platform: 'node',
  target: 'node20',
  minify: true,
  legalComments: 'none',
  external: ['koffi'],
};

const constants = {
  TBUILD_VERSION: JSON.stringify(version),
  TBUILD_IMAGE: JSON.stringify(`${config.image}:${version}`),
};

/** Marks Node's own modules as free of side effects, so that unused ones are not loaded. */
const lazyBuiltins = {
  name: 'lazy-builtins',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^node:/ }, ({ path }) => ({ path, external: true, sideEffects: false })),
};

/**
 * Leaves fetch, WebSocket, caches, mocks and HTTP/2, which no request asks for, out of undici: evaluating them takes 45 ms.
 * Keeps V8 from optimizing its parser of HTTP, which is WebAssembly: that takes 100 ms of another thread.
 */
const slimUndici = {
  name: 'slim-undici',
  setup({ onLoad }) {
    onLoad({ filter: /\/undici\/index\.js$/ }, () => ({
      contents: `require('node:v8').setFlagsFromString('--wasm-tiering-budget=2000000000');
        Object.assign(require('./lib/dispatcher/dispatcher').prototype, require('./lib/api'));
        exports.Agent = require('./lib/dispatcher/agent');
        exports.Client = require('./lib/dispatcher/client');
        exports.ProxyAgent = require('./lib/dispatcher/proxy-agent');
        exports.buildConnector = require('./lib/core/connect');`,
    }));
    onLoad({ filter: /\/undici\/lib\/dispatcher\/client-h2\.js$/ }, () => ({ contents: '' }));
  },
};

/** Puts the parser of HCL and its grammar, which are WebAssembly, into the part that uses them. */
const grammarFiles = {
  name: 'grammar-files',
  setup: ({ onLoad }) =>
    onLoad({ filter: /bake\/src\/hcl\/grammar-files\.ts$/ }, () => ({
      contents: `import parser from 'web-tree-sitter/web-tree-sitter.wasm';
        import grammar from '@tree-sitter-grammars/tree-sitter-hcl/tree-sitter-hcl.wasm';
        export const grammarFiles = () => ({ parser, grammar });`,
      resolveDir: fileURLToPath(new URL('../bake/src/hcl', import.meta.url)),
    })),
};

/** Puts the script and the style of the report page into the part that writes reports. */
const reportPage = {
  name: 'report-page',
  setup: ({ onLoad }) =>
    onLoad({ filter: /report\/src\/page-parts\.ts$/ }, async () => {
      const { outputFiles } = await build({
        absWorkingDir: fileURLToPath(new URL('../report/src/page', import.meta.url)),
        entryPoints: { script: 'main.tsx', style: 'page.css' },
        outdir: '/',
        bundle: true,
        write: false,
        minify: true,
        format: 'iife',
        target: 'es2022',
        legalComments: 'none',
      });
      const parts = outputFiles.map(({ path, text }) => [path.endsWith('.css') ? 'style' : 'script', text]);
      return { contents: `export const pageParts = () => (${JSON.stringify(Object.fromEntries(parts))});` };
    }),
};

/** Makes a chunk for each part that is loaded on demand, and chunks for what parts share. */
const { metafile } = await build({
  ...options,
  format: 'esm',
  entryPoints: { main: 'src/main.ts' },
  outdir: 'dist.new',
  splitting: true,
  metafile: true,
  alias: { 'react-devtools-core': './src/startup/no-devtools.ts', 'is-in-ci': './src/startup/not-in-ci.ts' },
  define: {
    ...constants,
    'process.env.DEV': '"false"',
    'process.env.NODE_ENV': '"production"',
  },
  plugins: [lazyBuiltins, slimUndici, grammarFiles, reportPage],
  loader: { '.wasm': 'binary' },
  // Packages in CommonJS call require for Node's own modules, which resolve the same everywhere.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = /* @__PURE__ */ __createRequire('/');",
  },
});
await joinHotPath(metafile.outputs);
for (const [name, file = name] of [['layer-process'], ['cap-process'], ['git-connection', 'git-connection/main']])
  await build({
    ...options,
    format: 'cjs',
    entryPoints: [`src/services/${file}.ts`],
    outfile: `dist.new/${name}.cjs`,
    define: { 'import.meta.url': '__filename' },
    plugins: [lazyBuiltins],
  });
await build({
  ...options,
  format: 'cjs',
  entryPoints: ['src/elsewhere/main.ts'],
  outfile: 'dist.new/elsewhere.cjs',
  define: constants,
});
writeFileSync(`${here}dist.new/build-id`, `${digestOfFiles(`${here}dist.new`)}\n`);

// The old bundle stays until the new one is complete.
rmSync(`${here}dist`, { recursive: true, force: true });
renameSync(`${here}dist.new`, `${here}dist`);

/**
 * Joins the hot path into one script: each module costs Node more than half a millisecond, and a snapshot of the heap
 * can hold one script only. Parts that are loaded later find what they share with it in a global variable.
 */
async function joinHotPath(outputs) {
  const entry = 'dist.new/main.js';
  const chunks = [...loadedWith(entry, outputs)].filter((path) => path !== entry);
  const nameOf = (path) => `./${path.slice('dist.new/'.length)}`;
  const shared = chunks.map((path, at) => `import * as _${at} from '${nameOf(path)}';`).join('');
  const { outputFiles } = await build({
    ...options,
    format: 'cjs',
    stdin: {
      contents: `${shared}globalThis.tbuildParts=[${chunks.map((_, at) => `_${at}`).join()}];import'${nameOf(entry)}';`,
      resolveDir: `${here}dist.new`,
    },
    write: false,
    // In an executable of its own, the script is elsewhere when it runs than when its snapshot was made.
    define: { 'import.meta.url': 'tbuildFile' },
    plugins: [lazyBuiltins, { name: 'parts', setup: keepDynamicImports }],
    // A script from a snapshot cannot import; a module that it requires can.
    banner: {
      js: `globalThis.tbuildFile=__filename;const importPart=path=>require('node:module').createRequire(tbuildFile)('./import-part.cjs')(path);`,
    },
  });
  const script = escapeNonAscii(outputFiles[0].text).replaceAll(/\bimport\("/g, 'importPart("');
  if (/\bimport\(/.test(script)) throw new Error('An import has no literal path, and a snapshot cannot import');
  if (/require\("node:(?:tls|https?)"\)/.test(script)) throw new Error('A start snapshot cannot hold a network client');
  takeFromHotPath(chunks.map(nameOf));
  for (const path of chunks) rmSync(here + path);
  rmSync(here + entry);
  writeFileSync(`${here}dist.new/tbuild.cjs`, script);
  writeFileSync(`${here}dist.new/import-part.cjs`, 'module.exports=path=>import(path);');
}

/** Replaces what the other parts import from chunks of the hot path: a module in between costs half a millisecond. */
function takeFromHotPath(chunks) {
  for (const name of readdirSync(`${here}dist.new`)) {
    if (chunks.includes(`./${name}`) || name === 'main.js') continue;
    const text = readFileSync(`${here}dist.new/${name}`, 'utf8');
    const taken = text.replaceAll(/\bimport(?:\{([^}]*)\}from)?"([^"]+)";/g, (statement, names, from) => {
      if (!chunks.includes(from)) return statement;
      return names ? `const{${names.replaceAll(' as ', ':')}}=globalThis.tbuildParts[${chunks.indexOf(from)}];` : '';
    });
    const left = chunks.find((chunk) => taken.includes(`"${chunk}"`));
    if (left) throw new Error(`${name} imports ${left} in another way than expected`);
    writeFileSync(`${here}dist.new/${name}`, taken);
  }
}

/** Escapes what esbuild leaves in regular expressions: one such character makes each of the script take two bytes in a heap. */
function escapeNonAscii(script) {
  return script.replaceAll(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function keepDynamicImports({ onResolve }) {
  onResolve({ filter: /^\.\// }, ({ path, kind }) =>
    kind === 'dynamic-import' ? { path, external: true } : undefined,
  );
}

function loadedWith(path, outputs, found = new Set()) {
  found.add(path);
  for (const { path: next, kind } of outputs[path].imports) {
    if (kind === 'import-statement' && next in outputs && !found.has(next)) loadedWith(next, outputs, found);
  }
  return found;
}

function digestOfFiles(directory) {
  const hash = createHash('sha256');
  for (const name of readdirSync(directory).sort())
    hash.update(`${name}\n`).update(readFileSync(`${directory}/${name}`));
  return hash.digest('hex').slice(0, 16);
}
