import { suggest, TbuildError } from '@tbuild/errors';
import { evaluate } from '../evaluate/evaluate.ts';
import type { Scope } from '../evaluate/scope.ts';
import type { BakeFunction } from '../functions/function.ts';
import type { Block, Body, Expression } from '../hcl/ast.ts';
import { errorAt, type Place } from '../source.ts';
import { object, type Value } from '../value/value.ts';
import { userFunction } from './user-function.ts';
import { readVariable, type BakeVariable, type VariableSources } from './variable.ts';

/** The files of a bake as one: their variables, functions and blocks, evaluated on demand. */
export interface Module {
  readonly scope: Scope;
  /** The blocks of a type in order. */
  blocks(type: string): readonly Block[];
  /** All blocks of the files, in order. */
  readonly all: readonly Block[];
  /** The variables with their values, in order. @throws TbuildError BAKE_FILE */
  variables(): readonly BakeVariable[];
}

export interface ModuleOptions {
  readonly functions: ReadonlyMap<string, BakeFunction>;
  readonly sources: VariableSources;
}

/** The most steps of evaluation: far more than any real file takes. */
const MOST_STEPS = 1_000_000;

/** Joins the bodies of files. Of several variables, functions and attributes of one name, the last counts. */
export function openModule(bodies: readonly Body[], options: ModuleOptions): Module {
  const all = bodies.flatMap((body) => body.blocks);
  const blocks = (type: string): readonly Block[] => all.filter((block) => block.type === type);
  const named = (type: string): Map<string, Block> =>
    new Map(blocks(type).map((block) => [requireLabel(block), block]));
  const attributes = bodies.flatMap((body) => body.attributes).map((one) => [one.name, one.expression] as const);
  const parts = { blocks, variables: named('variable'), functions: named('function'), attributes: new Map(attributes) };
  const lookup = openLookup(parts, options, () => scope);
  let steps = 0;
  const scope: Scope = {
    ...lookup,
    step(place, count = 1) {
      steps += count;
      if (steps > MOST_STEPS) throw errorAt(place, `The files take more than ${MOST_STEPS} steps to evaluate`);
    },
  };
  return { scope, blocks, all, variables: () => [...parts.variables].map(([name, block]) => lookup.read(name, block)) };
}

interface ModuleParts {
  blocks(type: string): readonly Block[];
  readonly variables: ReadonlyMap<string, Block>;
  readonly functions: ReadonlyMap<string, Block>;
  readonly attributes: ReadonlyMap<string, Expression>;
}

interface Lookup extends Omit<Scope, 'step'> {
  read(name: string, block: Block): BakeVariable;
}

/** Evaluates what is looked up, once each. */
function openLookup(parts: ModuleParts, { functions, sources }: ModuleOptions, scopeOf: () => Scope): Lookup {
  const { variables, attributes } = parts;
  const readings = new Map<string, BakeVariable>();
  const values = new Map<string, Value>();
  const once = onceEach();
  const read = (name: string, block: Block): BakeVariable => {
    const before = readings.get(name);
    if (before !== undefined) return before;
    const reading = once(`variable ${name}`, block.place, () =>
      readVariable(name, block, { scope: scopeOf(), sources }),
    );
    readings.set(name, reading.variable);
    reading.validate();
    return reading.variable;
  };
  const evaluateOnce = (name: string, expression: Expression): Value => {
    if (!values.has(name))
      values.set(
        name,
        once(`attribute ${name}`, expression.place, () => evaluate(expression, scopeOf())),
      );
    return values.get(name) ?? null;
  };
  return {
    read,
    variable(name, place, path) {
      const block = variables.get(name);
      if (block !== undefined) return read(name, block).value;
      const expression = attributes.get(name);
      if (expression !== undefined) return evaluateOnce(name, expression);
      const builtin = sources.builtin[name];
      if (builtin !== undefined) return builtin;
      if ((name === 'target' || name === 'group') && path.length > 0) {
        const wanted = { blocks: parts.blocks(name), scope: scopeOf(), place };
        return once(`${name}.${path.slice(0, 2).join('.')}`, place, () => blockValue(name, path, wanted));
      }
      const known = [...variables.keys(), ...attributes.keys(), ...Object.keys(sources.builtin)];
      throw errorAt(place, `Unknown variable ${JSON.stringify(name)}`, hintFor(name, known, 'variable'));
    },
    function(name, place) {
      const block = parts.functions.get(name);
      if (block !== undefined) return userFunction(name, block, scopeOf());
      const standard = functions.get(name);
      if (standard !== undefined) return standard;
      const known = [...parts.functions.keys(), ...functions.keys()];
      throw errorAt(place, `Unknown function ${JSON.stringify(name)}`, hintFor(name, known, 'function'));
    },
  };
}

/** Returns the name of a block. @throws TbuildError BAKE_FILE */
export function requireLabel({ type, labels, place }: Block): string {
  const [name, more] = labels;
  if (name !== undefined && more === undefined) return name;
  throw errorAt(place, `A ${type} has one name`, `Write ${type} "NAME" { … }`);
}

/** Runs work by name, and fails where it leads back to itself. */
function onceEach(): <T>(name: string, place: Place, work: () => T) => T {
  const running = new Set<string>();
  return (name, place, work) => {
    if (running.has(name)) throw errorAt(place, `The ${name} depends on itself`);
    running.add(name);
    try {
      return work();
    } finally {
      running.delete(name);
    }
  };
}

function hintFor(word: string, names: readonly string[], what: string): string | undefined {
  const near = suggest(word, names);
  if (near !== undefined) return `Did you mean ${JSON.stringify(near)}?`;
  return what === 'variable' ? `Define it: variable ${JSON.stringify(word)} {}` : undefined;
}

interface BlockLookup {
  readonly blocks: readonly Block[];
  readonly scope: Scope;
  readonly place: Place;
}

/** Returns an object that holds the attribute of a block that a path leads to, or all of them. */
function blockValue(
  type: string,
  [name = '', attribute]: readonly string[],
  { blocks, scope, place }: BlockLookup,
): Value {
  const named = blocks.filter((block) => block.labels[0] === name);
  if (named.length === 0) {
    const names = blocks.flatMap(({ labels }) => labels);
    throw errorAt(place, `Unknown ${type} ${JSON.stringify(name)}`, hintFor(name, names, type));
  }
  if (named.some(({ body }) => body.attributes.some((one) => one.name === 'matrix')))
    throw new TbuildError(
      'BAKE_FILE',
      `The attributes of ${type} ${JSON.stringify(name)} differ, since it has a matrix`,
    );
  const attributes = named.flatMap(({ body }) => body.attributes);
  const wanted = attributes.filter((one) => attribute === undefined || one.name === attribute);
  return object([[name, object(wanted.map((one) => [one.name, evaluate(one.expression, scope)]))]]);
}
