import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * One file of types out of many, as tsc writes them: what `entry` exports, and all that these declarations name.
 * @param {string} root The directory with `PACKAGE/src/FILE.d.ts`.
 * @param {string} entry Its path there; lists what it exports by name.
 */
export function rollTypes(root, entry) {
  const files = new Map();
  const open = (path) => {
    if (!files.has(path)) files.set(path, readTypes(join(root, path), path));
    return files.get(path);
  };
  const declarations = new Map();
  const exported = open(entry).reexports;
  for (const [name, { file, original }] of exported) {
    if (name !== original) throw new Error(`"${original}" is exported under another name, "${name}"`);
    include(file, original);
  }
  return [...declarations.values()].map(({ name, text }) => withExport(text, exported.has(name))).join('\n') + '\n';

  function include(path, name) {
    const { own, reexports, imports } = open(path);
    const elsewhere = reexports.get(name) ?? imports.get(name);
    if (!own.has(name) && elsewhere !== undefined) return include(elsewhere.file, elsewhere.original);
    const text = own.get(name);
    if (text === undefined) throw new Error(`"${path}" has no type "${name}"`);
    const known = declarations.get(name);
    if (known?.path === path) return;
    if (known !== undefined) throw new Error(`Two types are named "${name}", in "${known.path}" and "${path}"`);
    declarations.set(name, { name, path, text });
    for (const word of wordsOf(text)) if (word !== name && (own.has(word) || imports.has(word))) include(path, word);
  }
}

const COMMENT = String.raw`\/\*\*(?:(?!\*\/).)*\*\/\n`;
const KEYWORD = '(?:export|import|declare|interface|type) ';
/** Where a statement begins, with the comment on it; a comment may also stand between the parts of a union. */
const STATEMENT = new RegExp(`^(?=${COMMENT}${KEYWORD}|(?<!\\*\\/\\n)${KEYWORD})`, 'ms');
const LIST = /^(?:import|export) (?:type )?\{([^}]*)\} from ['"]([^'"]+)['"];/;
const DECLARATION =
  /^(?:\/\*\*.*?\*\/\s*)?(?:export )?(?:declare )?(?:abstract )?(?:interface|type|class|function|const) ([\w$]+)/s;

/** The declarations of a file by name, and what it takes from others. */
function readTypes(file, path) {
  const own = new Map();
  const imports = new Map();
  const reexports = new Map();
  for (const statement of readFileSync(file, 'utf8').split(STATEMENT)) {
    const list = LIST.exec(statement);
    const [, name] = DECLARATION.exec(statement) ?? [];
    if (list !== null) addNames(list, path, statement.startsWith('import') ? imports : reexports);
    else if (name !== undefined) own.set(name, statement.trim());
    else if (!/^(?:export \{\};\s*|import .*)?$/.test(statement))
      throw new Error(`"${path}" has a statement of no known kind: ${statement}`);
  }
  return { own, imports, reexports };
}

function addNames([, names, specifier], path, to) {
  const file = fileOf(specifier, path);
  if (file === undefined) return;
  for (const entry of names.split(',').map((text) => text.replace(/^\s*type\s/, '').trim())) {
    const [original, name = original] = entry.split(' as ');
    if (original !== '') to.set(name, { file, original });
  }
}

function fileOf(specifier, path) {
  if (specifier.startsWith('.')) return join(dirname(path), specifier).replace(/\.ts$/, '.d.ts');
  return specifier.startsWith('@tbuild/') ? `${specifier.slice('@tbuild/'.length)}/src/index.d.ts` : undefined;
}

/** The words of the code; what stands in comments and texts names nothing. */
function wordsOf(text) {
  return new Set(text.replaceAll(/\/\*.*?\*\/|'[^'\n]*'|"[^"\n]*"/gs, '').match(/[A-Za-z_$][\w$]*/g));
}

function withExport(text, isExported) {
  const bare = text.replace(/^((?:\/\*\*.*?\*\/\s*)?)export /s, '$1');
  return isExported ? bare.replace(/^((?:\/\*\*.*?\*\/\s*)?)/s, '$1export ') : bare;
}
