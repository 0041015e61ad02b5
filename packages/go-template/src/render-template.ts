import { suggest } from '@tbuild/errors';
import { GoNil, isRecord, isTruthy, printValue, type GoValue } from './go-value.ts';
import type { Operand, Pipeline, Template, TemplateBlock, TemplateNode } from './parse-template.ts';
import { templateError, type TemplatePlace } from './template-error.ts';
import { TEMPLATE_FUNCTIONS, type TemplateFunction } from './template-functions.ts';

/** The context of a template. A field that `data` itself lacks is an error; deeper fields may be missing. */
export interface RenderOptions {
  /** Replaces functions of the same name. */
  readonly functions?: Readonly<Record<string, TemplateFunction>>;
}

/** Renders a template with a document. @throws TbuildError USAGE that points to the failing word. */
export function renderTemplate(
  { source, nodes }: Template,
  data: Readonly<Record<string, GoValue>>,
  { functions = {} }: RenderOptions = {},
): string {
  const known = { ...TEMPLATE_FUNCTIONS, ...functions };
  const scope: Scope = { dot: data, root: data, variables: new Map([['$', data]]) };
  return new Renderer(source, known).nodes(nodes, scope).text;
}

interface Scope {
  readonly dot: GoValue;
  readonly root: GoValue;
  readonly variables: Map<string, GoValue>;
}

/** The arguments of a function: operands, and the value of the command before it in the pipeline. */
interface Arguments {
  readonly operands: readonly Operand[];
  readonly piped: readonly GoValue[];
}

const NO_ARGUMENTS: Arguments = { operands: [], piped: [] };

interface Rendered {
  readonly text: string;
  /** Controls the enclosing loop. */
  readonly jump?: 'break' | 'continue';
}

class Renderer {
  readonly #source: string;
  readonly #functions: Readonly<Record<string, TemplateFunction>>;

  constructor(source: string, functions: Readonly<Record<string, TemplateFunction>>) {
    this.#source = source;
    this.#functions = functions;
  }

  nodes(nodes: readonly TemplateNode[], scope: Scope): Rendered {
    let text = '';
    for (const node of nodes) {
      const { text: more, jump } = this.#node(node, scope);
      text += more;
      if (jump !== undefined) return { text, jump };
    }
    return { text };
  }

  #node(node: TemplateNode, scope: Scope): Rendered {
    if (node.kind === 'text') return { text: node.text };
    if (node.kind === 'break' || node.kind === 'continue') return { text: '', jump: node.kind };
    if (node.kind === 'range') return this.#range(node, scope);
    const inner = { ...scope, variables: node.kind === 'print' ? scope.variables : new Map(scope.variables) };
    const value = this.#pipeline(node.pipeline, scope);
    for (const name of node.pipeline.variables) inner.variables.set(name, value);
    if (node.kind === 'print') return { text: node.pipeline.variables.length > 0 ? '' : printValue(value) };
    if (!isTruthy(value)) return this.nodes(node.otherwise, inner);
    return this.nodes(node.body, node.kind === 'with' ? { ...inner, dot: value } : inner);
  }

  #range(node: TemplateBlock, scope: Scope): Rendered {
    const value = this.#pipeline(node.pipeline, scope);
    if (typeof value === 'number' && value > MOST_COUNTED)
      throw this.#error(node.pipeline, `it counts to more than ${MOST_COUNTED}`);
    const entries = entriesOf(value);
    if (entries === undefined) throw this.#error(node.pipeline, 'it is no list');
    if (entries.length === 0) return this.nodes(node.otherwise, scope);
    const { variables } = node.pipeline;
    let text = '';
    for (const [key, value] of entries) {
      const inner = { ...scope, dot: value, variables: new Map(scope.variables) };
      const values = variables.length === 2 ? [key, value] : [value];
      for (const [at, name] of variables.entries()) inner.variables.set(name, values[at]);
      const rendered = this.nodes(node.body, inner);
      text += rendered.text;
      if (rendered.jump === 'break') break;
    }
    return { text };
  }

  #pipeline({ commands }: Pipeline, scope: Scope): GoValue {
    let value: GoValue;
    for (const [at, command] of commands.entries()) value = this.#command(command, scope, at === 0 ? [] : [value]);
    return value;
  }

  #command([first, ...operands]: readonly Operand[], scope: Scope, piped: readonly GoValue[]): GoValue {
    if (first === undefined) throw new Error('A command has an operand');
    if (first.kind === 'call') {
      const called = this.#call(first, { operands, piped }, scope);
      return this.#fields(first, called, scope);
    }
    const [extra] = operands;
    if (extra !== undefined || piped.length > 0)
      throw this.#error(first, 'it is not a function and takes no arguments');
    return this.#operand(first, scope);
  }

  #call(operand: Extract<Operand, { kind: 'call' }>, given: Arguments, scope: Scope): GoValue {
    const { name } = operand;
    if (name === 'and' || name === 'or') return this.#shortCircuit(name, given, scope);
    const run = Object.hasOwn(this.#functions, name) ? this.#functions[name] : undefined;
    if (run === undefined) {
      const near = suggest(name, [...Object.keys(this.#functions), 'and', 'or']);
      throw this.#error(operand, 'there is no such function', near === undefined ? undefined : `Did you mean ${near}?`);
    }
    try {
      return run(...given.operands.map((one) => this.#operand(one, scope)), ...given.piped);
    } catch (error) {
      // JavaScript throws a RangeError for an invalid count.
      if (error instanceof TypeError || error instanceof RangeError) throw this.#error(operand, error.message);
      throw error;
    }
  }

  #shortCircuit(name: 'and' | 'or', { operands, piped }: Arguments, scope: Scope): GoValue {
    let value: GoValue;
    for (const operand of operands) {
      value = this.#operand(operand, scope);
      if (isTruthy(value) === (name === 'or')) return value;
    }
    return piped.length > 0 ? piped[0] : value;
  }

  #operand(operand: Operand, scope: Scope): GoValue {
    return this.#fields(operand, this.#start(operand, scope), scope);
  }

  #start(operand: Operand, scope: Scope): GoValue {
    if (operand.kind === 'dot') return scope.dot;
    if (operand.kind === 'nil') return null;
    if (operand.kind === 'literal') return operand.value;
    if (operand.kind === 'pipeline') return this.#pipeline(operand.pipeline, scope);
    if (operand.kind === 'call') return this.#call(operand, NO_ARGUMENTS, scope);
    if (!scope.variables.has(operand.name)) throw this.#error(operand, 'the variable is not set');
    return scope.variables.get(operand.name);
  }

  #fields({ fields }: Operand, start: GoValue, { root }: Scope): GoValue {
    let value = start;
    for (const field of fields) {
      const name = field.text.slice(1);
      if (isRecord(value)) {
        const key = keyOf(value, name);
        if (key === undefined && value === root) throw this.#noField(field, name, Object.keys(value));
        value = key === undefined ? absent(name) : value[key];
      } else if (value === undefined || value === null || value instanceof GoNil) value = absent(name);
      else throw this.#error(field, `${JSON.stringify(printValue(value).slice(0, 60))} has no fields`);
    }
    return value;
  }

  #noField(field: TemplatePlace, name: string, known: readonly string[]): Error {
    const near = suggest(name, known);
    return this.#error(
      field,
      'there is no such field',
      near === undefined ? `Use one of ${known.map((one) => `.${one}`).join(' ')}` : `Did you mean .${near}?`,
    );
  }

  #error(place: TemplatePlace, reason: string, hint?: string): Error {
    return templateError(this.#source, place, { reason, hint });
  }
}

const MOST_COUNTED = 1_000_000;

function entriesOf(value: GoValue): readonly (readonly [GoValue, GoValue])[] | undefined {
  if (Array.isArray(value)) return value.map((one, at) => [at, one] as const);
  if (isRecord(value)) return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  if (typeof value === 'number') return Array.from({ length: value }, (_, at) => [at, at] as const);
  return value === undefined || value === null || value instanceof GoNil ? [] : undefined;
}

/** Maps Go's field names to those of JSON: `.MediaType` is `mediaType`, `.CreatedBy` is `created_by`. */
function keyOf(record: Readonly<Record<string, GoValue>>, name: string): string | undefined {
  if (Object.hasOwn(record, name)) return name;
  if (!/^[A-Z]/.test(name)) return undefined;
  return Object.keys(record).find((key) => key.replaceAll(/[._-]/g, '').toLowerCase() === name.toLowerCase());
}

/** A field of Go has a value even if JSON leaves it out; a missing key of a map has none. */
function absent(name: string): GoValue {
  return /^[A-Z]/.test(name) ? new GoNil('') : undefined;
}
