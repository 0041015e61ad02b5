import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** Returns the WebAssembly of the parser and of the grammar. The bundle replaces this file by one that holds both. */
export function grammarFiles(): { readonly parser: Uint8Array; readonly grammar: Uint8Array } {
  const { resolve } = createRequire(import.meta.url);
  return {
    parser: readFileSync(resolve('web-tree-sitter/web-tree-sitter.wasm')),
    grammar: readFileSync(resolve('@tree-sitter-grammars/tree-sitter-hcl/tree-sitter-hcl.wasm')),
  };
}
