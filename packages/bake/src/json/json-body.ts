import type { Attribute, Block, Body, Expression } from '../hcl/ast.ts';
import type { HclParser } from '../hcl/parse-hcl.ts';
import { unescapeOpenings } from '../hcl/template.ts';
import { errorAt, type BakeFile, type Place } from '../source.ts';
import { Num } from '../value/number.ts';
import { parseJson, type JsonField, type JsonNode } from './parse-json.ts';

interface Reading {
  readonly file: BakeFile;
  /** Loaded for the first string with a template. */
  readonly parser: HclParser | undefined;
}

/** Types of blocks at the top, which have a label, and the block in a variable, which has none. */
const LABELLED: ReadonlySet<string> = new Set(['variable', 'group', 'target', 'function']);

/** Whether a JSON file has templates, for which the parser is needed. */
export const hasTemplates = (text: string): boolean => /[$%]\{|"type"/.test(text);

/**
 * Parses a JSON file as HCL reads it: objects at the top are blocks, and strings are templates.
 * @throws TbuildError BAKE_FILE
 */
export function parseJsonBody(file: BakeFile, parser: HclParser | undefined): Body {
  const root = parseJson(file);
  const reading = { file, parser };
  const fields = fieldsOf(root, reading);
  return {
    attributes: fields.filter(({ name }) => !LABELLED.has(name)).map((field) => attributeOf(field, reading)),
    blocks: fields.filter(({ name }) => LABELLED.has(name)).flatMap((field) => blocksOf(field, reading)),
  };
}

/** Names of `//` are comments. */
function fieldsOf(node: JsonNode, { file }: Reading): readonly JsonField[] {
  if (node.kind !== 'object') throw errorAt({ file, span: node.span }, 'Expected an object');
  return node.fields.filter(({ name }) => name !== '//');
}

function blocksOf({ name: type, value }: JsonField, reading: Reading): Block[] {
  const nodes = value.kind === 'array' ? value.items : [value];
  return nodes.flatMap((node) =>
    fieldsOf(node, reading).flatMap(({ name, span, value: inner }) => {
      const bodies = inner.kind === 'array' ? inner.items : [inner];
      const place = { file: reading.file, span };
      return bodies.map((body): Block => ({ type, labels: [name], body: innerBody(body, type, reading), place }));
    }),
  );
}

function innerBody(node: JsonNode, type: string, reading: Reading): Body {
  const fields = fieldsOf(node, reading);
  const isBlock = ({ name }: JsonField): boolean => type === 'variable' && name === 'validation';
  return {
    attributes: fields
      .filter((field) => !isBlock(field))
      .map((field) =>
        type === 'variable' && field.name === 'type' ? typeAttribute(field, reading) : attributeOf(field, reading),
      ),
    blocks: fields.filter(isBlock).flatMap(({ name, span, value }) => {
      const bodies = value.kind === 'array' ? value.items : [value];
      const place = { file: reading.file, span };
      return bodies.map((body): Block => ({ type: name, labels: [], body: innerBody(body, name, reading), place }));
    }),
  };
}

function attributeOf({ name, span, value }: JsonField, reading: Reading): Attribute {
  return { name, expression: expressionOf(value, reading), place: { file: reading.file, span } };
}

/** The type of a variable is an expression in a string. */
function typeAttribute(field: JsonField, reading: Reading): Attribute {
  const { name, span, value } = field;
  if (value.kind !== 'string' || reading.parser === undefined) return attributeOf(field, reading);
  const place = { file: reading.file, span: value.span };
  return {
    name,
    expression: reading.parser.parseTemplate(`\${${value.value}}`, place),
    place: { file: reading.file, span },
  };
}

function expressionOf(node: JsonNode, reading: Reading): Expression {
  const place: Place = { file: reading.file, span: node.span };
  switch (node.kind) {
    case 'literal':
      return { kind: 'literal', value: node.value, place };
    case 'number':
      return { kind: 'literal', value: Num.parse(node.text) ?? null, place };
    case 'string':
      return templateOf(node.value, place, reading);
    case 'array':
      return { kind: 'tuple', items: node.items.map((item) => expressionOf(item, reading)), place };
    case 'object': {
      const fields = fieldsOf(node, reading).map(({ name, span, value }) => ({
        key: templateOf(name, { file: reading.file, span }, reading),
        value: expressionOf(value, reading),
      }));
      return { kind: 'object', fields, place };
    }
  }
}

function templateOf(text: string, place: Place, { parser }: Reading): Expression {
  if (parser !== undefined && /(?<![$%])(\$|%)\{/.test(text)) return parser.parseTemplate(text, place);
  return { kind: 'literal', value: unescapeOpenings(text), place };
}
