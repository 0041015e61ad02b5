import { lexTemplate, type Segment, type Token } from './lex-template.ts';
import { templateError, type TemplatePlace } from './template-error.ts';

/** A template of Go's text/template, as far as Docker's formats use it. */
export interface Template {
  readonly source: string;
  readonly nodes: readonly TemplateNode[];
}

export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipeline: Pipeline }
  | TemplateBlock
  | { readonly kind: 'break' }
  | { readonly kind: 'continue' };

export interface TemplateBlock {
  readonly kind: 'if' | 'with' | 'range';
  readonly pipeline: Pipeline;
  readonly body: readonly TemplateNode[];
  readonly otherwise: readonly TemplateNode[];
}

/** Commands that each get the value of the one before as their last argument. */
export interface Pipeline extends TemplatePlace {
  /** The variables that it sets: `$x := …`, or the two of `range $i, $x := …`. */
  readonly variables: readonly string[];
  readonly commands: readonly (readonly Operand[])[];
}

export type Operand = TemplatePlace & { readonly fields: readonly Token[] } & (
    | { readonly kind: 'dot' }
    | { readonly kind: 'nil' }
    | { readonly kind: 'variable'; readonly name: string }
    | { readonly kind: 'call'; readonly name: string }
    | { readonly kind: 'literal'; readonly value: string | number | boolean }
    | { readonly kind: 'pipeline'; readonly pipeline: Pipeline }
  );

/** @throws TbuildError USAGE that points to the error. */
export function parseTemplate(source: string): Template {
  return { source, nodes: new Parser(source).template() };
}

const BLOCKS: ReadonlySet<string> = new Set(['if', 'with', 'range']);
const UNKNOWN: ReadonlySet<string> = new Set(['define', 'template', 'block']);

class Parser {
  readonly #source: string;
  readonly #segments: Segment[];
  #tokens: Token[] = [];
  #action: TemplatePlace = { text: '{{', at: 0 };

  constructor(source: string) {
    this.#source = source;
    this.#segments = [...lexTemplate(source)];
  }

  template(): readonly TemplateNode[] {
    const nodes = this.#nodes();
    if (this.#action.text === '') return nodes;
    throw this.#error(this.#action, 'there is nothing that it belongs to');
  }

  /** Parses up to an `end` or `else`, which becomes the current action, or to the end of the template. */
  #nodes(): readonly TemplateNode[] {
    const nodes: TemplateNode[] = [];
    for (let segment = this.#segments.shift(); segment !== undefined; segment = this.#segments.shift()) {
      if (segment.kind === 'text') {
        nodes.push(segment);
        continue;
      }
      this.#tokens = [...segment.tokens];
      const [first] = this.#tokens;
      if (first === undefined) throw this.#error({ text: '{{', at: segment.at }, 'there is nothing in it');
      if (first.kind === 'word' && (first.text === 'end' || first.text === 'else')) {
        this.#action = first;
        return nodes;
      }
      nodes.push(this.#node(first));
    }
    this.#action = { text: '', at: this.#source.length };
    return nodes;
  }

  #node(first: Token): TemplateNode {
    const { kind, text } = first;
    if (kind === 'word' && (text === 'break' || text === 'continue')) {
      this.#tokens.shift();
      this.#ended();
      return { kind: text };
    }
    if (kind === 'word' && UNKNOWN.has(text)) throw this.#error(first, 'formats have no templates of their own');
    return kind === 'word' && BLOCKS.has(text) ? this.#block() : { kind: 'print', pipeline: this.#whole(first) };
  }

  /** Parses a block that the current action begins. */
  #block(): TemplateNode {
    const start = this.#tokens.shift();
    if (start === undefined) throw new Error('A block begins with a word');
    const kind = start.text === 'with' || start.text === 'range' ? start.text : 'if';
    const pipeline = this.#whole(start);
    const body = this.#nodes();
    if (this.#action.text !== 'else') {
      this.#end(start);
      return { kind, pipeline, body, otherwise: [] };
    }
    this.#tokens.shift();
    const [next] = this.#tokens;
    // `else if` ends together with its `if`.
    if (next?.kind === 'word' && BLOCKS.has(next.text)) return { kind, pipeline, body, otherwise: [this.#block()] };
    this.#ended();
    const otherwise = this.#nodes();
    this.#end(start);
    return { kind, pipeline, body, otherwise };
  }

  #end(start: Token): void {
    if (this.#action.text === '') throw this.#error(start, 'it has no {{end}}');
    if (this.#action.text !== 'end') throw this.#error(this.#action, 'a block has one of it');
    this.#tokens.shift();
    this.#ended();
  }

  /** Parses the rest of the action as a pipeline. */
  #whole(start: Token): Pipeline {
    const pipeline = this.#pipeline(start);
    this.#ended();
    return pipeline;
  }

  #ended(): void {
    const [rest] = this.#tokens;
    if (rest !== undefined) throw this.#error(rest, 'it is not expected here');
  }

  #pipeline(start: Token): Pipeline {
    const variables = this.#variables();
    const commands: (readonly Operand[])[] = [];
    do {
      const operands: Operand[] = [];
      for (let next = this.#tokens[0]; next !== undefined && !isSign(next, '|', ')'); next = this.#tokens[0])
        operands.push(this.#operand());
      if (operands.length === 0) throw this.#error(this.#tokens[0] ?? start, 'a value is missing');
      commands.push(operands);
    } while (this.#take('|'));
    return { variables, commands, text: start.text, at: start.at };
  }

  #variables(): readonly string[] {
    const assigns = this.#tokens.findIndex((token) => isSign(token, ':=', '='));
    if (assigns < 0) return [];
    const [sign, ...before] = this.#tokens.splice(0, assigns + 1).reverse();
    const names = before.reverse().filter((token) => !isSign(token, ','));
    const wrong = names.find(({ kind }) => kind !== 'variable') ?? (names.length > 2 ? names[2] : undefined);
    if (wrong !== undefined || names.length === 0)
      throw this.#error(wrong ?? sign ?? this.#action, 'only variables such as $x can be set');
    return names.map(({ text }) => text);
  }

  #operand(): Operand {
    const token = this.#tokens.shift();
    if (token === undefined) throw new Error('There is no operand');
    const { text, at } = token;
    // The first field of `.a.b` is a field of the dot.
    if (token.kind === 'field') return { kind: 'dot', text, at, fields: [token, ...this.#fields()] };
    if (token.kind === 'variable') return { kind: 'variable', name: text, text, at, fields: this.#fields() };
    if (token.kind === 'string') return { kind: 'literal', value: this.#unquote(token), text, at, fields: [] };
    if (token.kind === 'number') return { kind: 'literal', value: Number(text), text, at, fields: [] };
    if (token.kind === 'word') return this.#word(token);
    if (text === '.') return { kind: 'dot', text, at, fields: [] };
    if (text !== '(') throw this.#error(token, 'it is not expected here');
    const pipeline = this.#pipeline(token);
    if (!this.#take(')')) throw this.#error(token, 'it has no ")"');
    return { kind: 'pipeline', pipeline, text, at, fields: this.#fields() };
  }

  #word({ text, at }: Token): Operand {
    if (text === 'true' || text === 'false') return { kind: 'literal', value: text === 'true', text, at, fields: [] };
    if (text === 'nil') return { kind: 'nil', text, at, fields: [] };
    return { kind: 'call', name: text, text, at, fields: this.#fields() };
  }

  #fields(): readonly Token[] {
    const fields: Token[] = [];
    for (let [next] = this.#tokens; next?.kind === 'field' && !next.apart; [next] = this.#tokens) {
      fields.push(next);
      this.#tokens.shift();
    }
    return fields;
  }

  #take(sign: string): boolean {
    const [next] = this.#tokens;
    if (next === undefined || !isSign(next, sign)) return false;
    this.#tokens.shift();
    return true;
  }

  #unquote(token: Token): string {
    if (token.text.startsWith('`')) return token.text.slice(1, -1);
    try {
      return String(JSON.parse(token.text.replaceAll("\\'", "'").replace(/\\a|\\v/g, '')));
    } catch {
      throw this.#error(token, 'its escapes are not valid');
    }
  }

  #error(place: TemplatePlace, reason: string): Error {
    return templateError(this.#source, place, { reason });
  }
}

function isSign({ kind, text }: Token, ...signs: readonly string[]): boolean {
  return kind === 'sign' && signs.includes(text);
}
