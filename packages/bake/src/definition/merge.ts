import { RULES, type AttributeName, type Entry, type TargetAttributes, type TextMap } from './target.ts';

/** Joins the attributes of a child, or of a later file, to those of its parent. */
export function merge(parent: TargetAttributes, child: TargetAttributes): TargetAttributes {
  const merged: Record<string, unknown> = { ...parent };
  for (const name of Object.keys(child) as AttributeName[]) {
    const value = child[name];
    if (value !== undefined) merged[name] = mergeAttribute(name, parent[name], value);
  }
  return merged;
}

type AttributeValue = NonNullable<TargetAttributes[AttributeName]>;

function mergeAttribute(name: AttributeName, before: TargetAttributes[AttributeName], value: AttributeValue): unknown {
  const { kind, merge: way } = RULES[name];
  if (kind === 'map') return mergeMaps(before as TextMap | undefined, value as TextMap, name === 'contexts');
  if (before === undefined || way === undefined) return value;
  if (way !== 'append') return mergeEntries(before as readonly Entry[], value as readonly Entry[], way.by);
  return [...(before as readonly (string | Entry)[]), ...(value as readonly (string | Entry)[])];
}

/** A name without a value resets nothing. */
function mergeMaps(before: TextMap = {}, value: TextMap, keepsNull: boolean): TextMap {
  return { ...before, ...Object.fromEntries(Object.entries(value).filter(([, text]) => keepsNull || text !== null)) };
}

/** An entry replaces that of the same kind, in its place. */
export function mergeEntries(before: readonly Entry[], value: readonly Entry[], key: string): readonly Entry[] {
  const merged = new Map<unknown, Entry>();
  for (const entry of [...before, ...value]) merged.set(entry[key], entry);
  return [...merged.values()];
}

/** Removes duplicates, empty texts, contexts without a location, and adds the entitlement that a network needs. */
export function normalize(attributes: TargetAttributes): TargetAttributes {
  const normal: Record<string, unknown> = {};
  const isHost = attributes.network === 'host';
  const entitlements = [...(attributes.entitlements ?? []), ...(isHost ? ['network.host'] : [])];
  for (const [name, value] of Object.entries({ ...attributes, entitlements })) normal[name] = normalList(value);
  if (attributes.contexts !== undefined) normal.contexts = withoutEmpty(attributes.contexts);
  return normal;
}

function normalList(value: TargetAttributes[AttributeName]): unknown {
  if (!Array.isArray(value)) return value;
  const seen = new Map(value.map((item: unknown) => [JSON.stringify(item), item]));
  return [...seen.values()].filter((item) => item !== '');
}

function withoutEmpty(map: TextMap): TextMap {
  return Object.fromEntries(Object.entries(map).filter(([, text]) => text !== '' && text !== null));
}
