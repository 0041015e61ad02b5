import { suggest, type SourceRange } from '@tbuild/errors';
import { evaluate } from '../evaluate/evaluate.ts';
import { type Scope, withVariables } from '../evaluate/scope.ts';
import type { Block, Body, Expression } from '../hcl/ast.ts';
import { errorAt, placed, rangeOf, type Place } from '../source.ts';
import { toText } from '../value/convert.ts';
import { isList, isMap, type Value } from '../value/value.ts';
import { decodeAttribute, decodeNames } from './decode.ts';
import { requireLabel, type Module } from './module.ts';
import { isAttribute, linksOf, RULES, TARGET_NAME, type Definitions, type Group, type TargetBlock } from './target.ts';

/** Something in a file that has no effect, or not the one that it seems to have. */
export interface BakeWarning {
  readonly message: string;
  readonly hint?: string;
  readonly location?: SourceRange;
}

/** Evaluates the targets and groups of the files. @throws TbuildError BAKE_FILE */
export function readBlocks(module: Module, warn: (warning: BakeWarning) => void): Definitions {
  warnUnknown(
    { attributes: [], blocks: module.all.filter(({ type }) => !BLOCKS.includes(type)) },
    { names: BLOCKS, what: 'file', warn },
  );
  for (const [what, names] of Object.entries(OTHER_ATTRIBUTES))
    for (const { body } of module.blocks(what)) warnUnknown({ ...body, blocks: [] }, { names, what, warn });
  const groups = module.blocks('group').map((block) => readGroup(block, module.scope, warn));
  const targets: TargetBlock[] = [];
  const matrices = new Map<string, string[]>();
  for (const block of module.blocks('target')) {
    const name = requireLabel(block);
    const expanded = expand(name, block, module.scope);
    for (const { name: own, scope } of expanded) targets.push(readTarget(own, block, { scope, warn }));
    if (expanded.length === 1 && expanded[0]?.name === name) continue;
    matrices.set(name, [...new Set([...(matrices.get(name) ?? []), ...expanded.map((one) => one.name)])]);
  }
  return { targets, groups: [...groups, ...[...matrices].map(([name, names]) => ({ name, targets: names }))] };
}

const BLOCKS = ['variable', 'function', 'group', 'target'];

/** The attributes of blocks that are read elsewhere. */
const OTHER_ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  variable: ['type', 'default', 'description'],
  function: ['params', 'variadic_params', 'result'],
};

const GROUP_ATTRIBUTES = ['description', 'targets'];

function readGroup(block: Block, scope: Scope, warn: (warning: BakeWarning) => void): Group {
  const name = requireLabel(block);
  warnUnknown(block.body, { names: GROUP_ATTRIBUTES, what: 'group', warn });
  const text = attributeIn(block.body, 'description');
  const targets = attributeIn(block.body, 'targets');
  const description = text === undefined ? null : evaluate(text, scope);
  const members = namesIn(targets, scope);
  return {
    name,
    ...(description === null || text === undefined
      ? {}
      : { description: placed(text.place, () => toText(description)) }),
    targets: members.map((member) => member.name),
    mentions: new Map(members.map((member) => [member.name, member.place])),
  };
}

/** Returns the names in a list, each with its place. */
function namesIn(expression: Expression | undefined, scope: Scope): ReturnType<typeof decodeNames> {
  const value = expression === undefined ? null : evaluate(expression, scope);
  if (expression === undefined || value === null) return [];
  return placed(expression.place, () => decodeNames(value, expression));
}

function attributeIn({ attributes }: Body, wanted: string): Expression | undefined {
  return attributes.find(({ name }) => name === wanted)?.expression;
}

interface Reading {
  readonly scope: Scope;
  warn(warning: BakeWarning): void;
}

const TARGET_ATTRIBUTES = [...Object.keys(RULES), 'inherits', 'name', 'matrix'];

function readTarget(name: string, { body, place }: Block, { scope, warn }: Reading): TargetBlock {
  warnUnknown(body, { names: TARGET_ATTRIBUTES, what: 'target', warn });
  const parents = namesIn(attributeIn(body, 'inherits'), scope);
  const attributes: Record<string, unknown> = {};
  for (const { name: attribute, expression } of body.attributes) {
    if (isAttribute(attribute))
      attributes[attribute] = decodeAttribute(attribute, evaluate(expression, scope), expression);
  }
  const contexts = attributeIn(body, 'contexts')?.place ?? place;
  const linked = linksOf(attributes).map((link) => [link, contexts] as const);
  const mentions = new Map([...linked, ...parents.map((parent) => [parent.name, parent.place] as const)]);
  return { name, inherits: parents.map((parent) => parent.name), attributes, place, mentions };
}

interface Known {
  readonly names: readonly string[];
  readonly what: string;
  warn(warning: BakeWarning): void;
}

/** Unknown attributes have no effect, as in Docker, but are rarely meant. */
function warnUnknown({ attributes, blocks }: Body, { names, what, warn }: Known): void {
  for (const { name, place } of attributes) {
    if (!names.includes(name))
      warn({
        message: `A ${what} has no attribute ${JSON.stringify(name)}; it is ignored`,
        ...near(name, names, place),
      });
  }
  for (const { type, place } of blocks)
    warn({
      message: `A ${what === 'file' ? 'bake file' : what} has no block ${JSON.stringify(type)}; it is ignored`,
      ...near(type, names, place),
    });
}

/** Says which name is near an unknown one, and where that stands. */
export function near(word: string, names: readonly string[], place: Place): Omit<BakeWarning, 'message'> {
  const found = suggest(word, names);
  return {
    location: rangeOf(place),
    ...(found === undefined ? {} : { hint: `Did you mean ${JSON.stringify(found)}?` }),
  };
}

interface Expanded {
  readonly name: string;
  readonly scope: Scope;
}

/** The most targets that one matrix may make. */
const MOST_TARGETS = 4096;

/** Returns the targets that a block stands for: one, or one for each combination of its matrix. */
function expand(label: string, { body, place }: Block, scope: Scope): Expanded[] {
  const matrix = attributeIn(body, 'matrix');
  const nameAttribute = body.attributes.find(({ name }) => name === 'name');
  const combinations = matrix === undefined ? [new Map<string, Value>()] : combine(evaluate(matrix, scope), matrix);
  if (matrix !== undefined && nameAttribute === undefined)
    throw errorAt(
      place,
      `The target ${JSON.stringify(label)} has a matrix but no name`,
      'Add a name with the variables of the matrix',
    );
  const names = new Set<string>();
  return combinations.map((variables) => {
    const inner = withVariables(scope, variables);
    if (nameAttribute === undefined) return { name: requireName(label, place), scope: inner };
    const { expression } = nameAttribute;
    const value = evaluate(expression, inner);
    const name = requireName(
      placed(expression.place, () => toText(value)),
      expression.place,
    );
    if (names.has(name))
      throw errorAt(nameAttribute.place, `Two targets of the matrix have the name ${JSON.stringify(name)}`);
    names.add(name);
    return { name, scope: inner };
  });
}

function requireName(name: string, place: Place): string {
  if (TARGET_NAME.test(name)) return name;
  throw errorAt(
    place,
    `Invalid name ${JSON.stringify(name)}: expected letters, digits, "-" and "_"`,
    'The function sanitize replaces other characters',
  );
}

/** Returns all combinations of the values, the first name's outermost. */
function combine(matrix: Value, { place }: Expression): Map<string, Value>[] {
  if (matrix === null || !isMap(matrix))
    throw errorAt(place, 'A matrix is an object of lists', 'Write { NAME = [VALUE, …] }');
  let combinations = [new Map<string, Value>()];
  for (const [name, values] of matrix.entries) {
    if (values === null || !isList(values))
      throw errorAt(place, `The values of ${JSON.stringify(name)} in a matrix have to be a list`);
    combinations = combinations.flatMap((before) => values.items.map((value) => new Map([...before, [name, value]])));
    if (combinations.length > MOST_TARGETS) throw errorAt(place, `The matrix makes more than ${MOST_TARGETS} targets`);
  }
  return combinations;
}
