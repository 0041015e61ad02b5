import { goJson } from '@tbuild/oci';
import type { Resolved } from './definition/resolve.ts';
import { RULES, type AttributeName, type Entry, type TargetAttributes } from './definition/target.ts';

/** Returns the definition as `bake --print` writes it: JSON that is a bake file itself. */
export function printDefinition({ groups, targets }: Resolved): string {
  const document = {
    group: Object.fromEntries(sorted(groups)),
    target: Object.fromEntries(sorted(targets).map(([name, target]) => [name, printable(target)])),
  };
  return `${goJson(document, { indent: '  ' })}\n`;
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** The attributes whose values are templates when the output is read again. */
const ESCAPED: ReadonlySet<string> = new Set(['annotations', 'args', 'dockerfile-inline', 'labels']);

function printable(target: TargetAttributes): Record<string, unknown> {
  const names = Object.keys(RULES) as AttributeName[];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = target[name];
      if (value === undefined || isEmpty(value)) return [];
      return [[name, ESCAPED.has(name) ? escaped(value) : inOrder(name, value)]];
    }),
  );
}

function isEmpty(value: NonNullable<TargetAttributes[AttributeName]>): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.values(value).every((text) => text === null);
}

function escaped(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/[$%]\{/g, (open) => `${open.charAt(0)}${open}`);
  if (Array.isArray(value)) return value.map(escaped);
  return typeof value === 'object' && value !== null ? mapOf(Object.entries(value), escaped) : value;
}

function mapOf(entries: readonly (readonly [string, unknown])[], change: (value: unknown) => unknown): object {
  const set = entries.filter(([, value]) => value !== null);
  return Object.fromEntries(set.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => [name, change(value)]));
}

/** Names are in alphabetical order, but for an id, which comes first. */
function inOrder(name: AttributeName, value: unknown): unknown {
  const { kind } = RULES[name];
  if (kind === 'map') return mapOf(Object.entries(value as object), (text) => text);
  if (kind !== 'entries') return value;
  return (value as readonly Entry[]).map(({ id, src, ...rest }) => ({
    ...(id === undefined ? {} : { id }),
    ...(name === 'secret' && src !== undefined ? { src } : {}),
    ...mapOf(Object.entries(name === 'secret' || src === undefined ? rest : { ...rest, src }), (setting) => setting),
  }));
}
