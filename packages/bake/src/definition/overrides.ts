import { suggest, TbuildError } from '@tbuild/errors';
import { parseBool, parseEntry, type EntryAttribute } from './entries.ts';
import { mergeEntries } from './merge.ts';
import { patternOf } from './pattern.ts';
import { RULES, type AttributeName, type Entry, type TargetAttributes, type TargetBlock } from './target.ts';

/** One `--set`: an attribute of a target, with the value or values that it gets. */
interface Override {
  readonly key: string;
  readonly name?: string;
  readonly append: boolean;
  readonly values: string[];
}

/** The overrides of each target, by its name. */
export type Overrides = ReadonlyMap<string, readonly Override[]>;

/** The keys of `--set`, and the attributes that they change. `push` and `load` change the outputs. */
const KEYS: Readonly<Record<string, AttributeName | 'push' | 'load'>> = {
  annotations: 'annotations',
  args: 'args',
  attest: 'attest',
  'cache-from': 'cache-from',
  'cache-to': 'cache-to',
  call: 'call',
  context: 'context',
  contexts: 'contexts',
  dockerfile: 'dockerfile',
  entitlements: 'entitlements',
  'extra-hosts': 'extra-hosts',
  labels: 'labels',
  load: 'load',
  network: 'network',
  'no-cache': 'no-cache',
  'no-cache-filter': 'no-cache-filter',
  output: 'output',
  platform: 'platforms',
  pull: 'pull',
  push: 'push',
  secret: 'secret',
  secrets: 'secret',
  'shm-size': 'shm-size',
  ssh: 'ssh',
  tags: 'tags',
  target: 'target',
  ulimits: 'ulimits',
};

/** The keys that `--set` takes. */
export const OVERRIDE_KEYS = Object.keys(KEYS);

/**
 * Reads the values of `--set`: `PATTERN.KEY[.NAME][+]=VALUE`. A variable of the environment gives an argument that has
 * no value.
 * @throws TbuildError BAKE_FILE for an unknown key or a pattern that no target matches.
 */
export function readOverrides(
  texts: readonly string[],
  targets: readonly TargetBlock[],
  environment: (name: string) => string | undefined,
): Overrides {
  const overrides = new Map<string, Override[]>();
  for (const text of texts) {
    const { pattern, key, name, append, value } = parseOverride(text);
    const given = value ?? (key === 'args' && name !== undefined ? environment(name) : undefined);
    if (value === undefined && key !== 'args') throw invalid(text, 'expected TARGET.KEY=VALUE');
    if (given === undefined) continue;
    for (const target of matching(pattern, targets)) {
      const own = overrides.get(target) ?? [];
      overrides.set(target, own);
      const same = own.find((one) => one.key === key && one.name === name);
      if (same === undefined) own.push({ key, name, append, values: [given] });
      else Object.assign(same, { append, values: [...same.values, given] });
    }
  }
  return overrides;
}

interface ParsedOverride {
  readonly pattern: string;
  readonly key: string;
  readonly name?: string;
  readonly append: boolean;
  readonly value?: string;
}

function parseOverride(text: string): ParsedOverride {
  const at = text.indexOf('=');
  const path = at < 0 ? text : text.slice(0, at);
  const append = path.endsWith('+');
  const [pattern = '', key, ...rest] = (append ? path.slice(0, -1) : path).split('.');
  if (key === undefined) throw invalid(text, 'expected TARGET.KEY=VALUE');
  const name = rest.length === 0 ? undefined : rest.join('.');
  if (!Object.hasOwn(KEYS, key)) {
    const near = suggest(key, Object.keys(KEYS));
    throw invalid(
      text,
      `unknown key ${JSON.stringify(key)}`,
      near === undefined ? undefined : `Did you mean ${JSON.stringify(near)}?`,
    );
  }
  const attribute = KEYS[key];
  const isMap = attribute !== undefined && attribute in RULES && RULES[attribute as AttributeName].kind === 'map';
  if (isMap && name === undefined) throw invalid(text, `${key} needs a name: TARGET.${key}.NAME=VALUE`);
  return {
    pattern,
    key,
    append,
    ...(name === undefined ? {} : { name }),
    ...(at < 0 ? {} : { value: text.slice(at + 1) }),
  };
}

function invalid(text: string, reason: string, hint?: string): TbuildError {
  return new TbuildError('BAKE_FILE', `Invalid --set ${JSON.stringify(text)}: ${reason}`, { hint });
}

/** Returns the names that match a pattern with `*` and `?`. */
function matching(pattern: string, targets: readonly TargetBlock[]): readonly string[] {
  const expression = patternOf(pattern);
  const names = [...new Set(targets.map(({ name }) => name))].filter((name) => expression.test(name));
  if (names.length > 0) return names;
  const near = suggest(
    pattern,
    targets.map(({ name }) => name),
  );
  throw new TbuildError('BAKE_FILE', `No target matches ${JSON.stringify(pattern)} of --set`, {
    hint: near === undefined ? 'List the targets with --list targets' : `Did you mean ${JSON.stringify(near)}?`,
  });
}

/** Applies overrides to the attributes of a target. @throws TbuildError BAKE_FILE */
export function applyOverrides(attributes: TargetAttributes, overrides: readonly Override[]): TargetAttributes {
  return overrides.reduce<TargetAttributes>((before, override) => apply(before, override), attributes);
}

function apply(attributes: TargetAttributes, { key, name, append, values }: Override): TargetAttributes {
  const attribute = KEYS[key];
  const last = values.at(-1) ?? '';
  if (attribute === 'push' || attribute === 'load') {
    const isOn = parseBool(last, `--set ${key}`);
    const outputs = attributes.output ?? [];
    const changed = attribute === 'push' ? withPush(outputs, isOn) : withLoad(outputs, isOn);
    return { ...attributes, output: changed };
  }
  if (attribute === undefined) throw new Error(`There is no key ${key}`);
  switch (RULES[attribute].kind) {
    case 'text':
      // Docker resets the network, whatever the value.
      return { ...attributes, [attribute]: attribute === 'network' ? '' : last };
    case 'bool':
      return { ...attributes, [attribute]: parseBool(last, `--set ${key}`) };
    case 'map':
      return { ...attributes, [attribute]: { ...(attributes[attribute] as object | undefined), [name ?? '']: last } };
    case 'texts': {
      const before = append || attribute === 'annotations' || attribute === 'entitlements' ? attributes[attribute] : [];
      return { ...attributes, [attribute]: [...((before as readonly string[] | undefined) ?? []), ...values] };
    }
    case 'entries':
      return {
        ...attributes,
        [attribute]: withEntries(attributes, attribute as EntryAttribute, { name, append, values }),
      };
  }
}

function withEntries(
  attributes: TargetAttributes,
  attribute: EntryAttribute,
  { name, append, values }: Omit<Override, 'key'>,
): readonly Entry[] {
  const texts = name === undefined ? values : values.map((value) => `id=${name},${value}`);
  const entries = texts.filter((text) => text !== '').map((text) => parseEntry(attribute, text));
  const before = attributes[attribute] ?? [];
  if (attribute === 'attest') return mergeEntries(before, entries, 'type');
  if (!append && name === undefined) return entries;
  return attribute === 'secret' || attribute === 'ssh' ? mergeEntries(before, entries, 'id') : [...before, ...entries];
}

function withPush(outputs: readonly Entry[], push: boolean): readonly Entry[] {
  if (!push) {
    const kept = outputs.filter(({ type }) => type !== 'registry');
    return kept.map((output) => (output.type === 'image' ? { ...output, push: 'false' } : output));
  }
  if (!outputs.some(({ type }) => type === 'image' || type === 'registry'))
    return [...outputs, { type: 'image', push: 'true' }];
  return outputs.map((output) => (output.type === 'image' ? { ...output, push: 'true' } : output));
}

/** An output that is a file or directory stands beside loading only if it is an image too. */
function withLoad(outputs: readonly Entry[], load: boolean): readonly Entry[] {
  if (!load || outputs.some(({ type, dest }) => type === 'docker' && dest === undefined)) return outputs;
  const isOther = ({ type }: Entry): boolean => !['image', 'registry', 'oci', 'docker'].includes(String(type));
  return outputs.some(isOther) ? outputs : [...outputs, { type: 'docker' }];
}
