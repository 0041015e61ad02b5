import { Language, Parser, type Node, type Tree } from 'web-tree-sitter';
import { errorAt, type BakeFile, type Place } from '../source.ts';
import type { Body, Expression } from './ast.ts';
import { bodyOf } from './convert-body.ts';
import { convertExpression } from './convert-expression.ts';
import { grammarFiles } from './grammar-files.ts';
import { layOut } from './layout.ts';
import { syntaxError } from './syntax-error.ts';

/** Parses HCL. */
export interface HclParser {
  /** @throws TbuildError BAKE_FILE, with the place. */
  parse(file: BakeFile): Body;
  /** Parses the text of a string in a JSON file, which stands at this place. @throws TbuildError BAKE_FILE */
  parseTemplate(text: string, place: Place): Expression;
}

/** Opens a parser. */
export async function openHclParser(): Promise<HclParser> {
  grammar ??= loadGrammar();
  const language = await grammar;
  const parser = new Parser();
  parser.setLanguage(language);
  return {
    parse(file) {
      const { text, lineEnds } = layOut(file);
      return withTree(parser, text, (root) => {
        const error = syntaxError(root, file);
        if (error !== undefined) throw error;
        return bodyOf(root, { file, lineEnds });
      });
    },
    parseTemplate(text, place) {
      // As the text of a heredoc, a template has no escapes but those of its openings.
      const file: BakeFile = { name: place.file.name, text: `t = <<${END}\n${text}\n${END}\n` };
      if (text.includes(END)) throw errorAt(place, `A string with a template cannot contain ${END}`);
      return withTree(parser, layOut(file).text, (root) => {
        if (root.hasError) throw errorAt(place, 'The template in this string is invalid');
        const expression = root.descendantsOfType('expression')[0];
        if (expression === null || expression === undefined)
          throw errorAt(place, 'The template in this string is invalid');
        return convertExpression(expression, { file, at: place, endsAt: text.length });
      });
    },
  };
}

/** Loaded once: its memory is never freed. */
let grammar: Promise<Language> | undefined;

async function loadGrammar(): Promise<Language> {
  const files = grammarFiles();
  await Parser.init({ wasmBinary: files.parser });
  return await Language.load(files.grammar);
}

const END = 'END_OF_TEMPLATE_';

function withTree<T>(parser: Parser, text: string, work: (root: Node) => T): T {
  const tree: Tree | null = parser.parse(text);
  if (tree === null) throw new Error('The parser has no language');
  try {
    return work(tree.rootNode);
  } finally {
    tree.delete();
  }
}
