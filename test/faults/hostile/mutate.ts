import type { Random } from '../../support/random.ts';

/** Returns one of the texts after a few edits: cuts, repeats, pieces of the language, ends of other texts. */
export function mutateText(texts: readonly string[], pieces: readonly string[], random: Random): string {
  let text = random.pick(texts);
  for (let edits = random.int(6); edits > 0; edits--) {
    const at = random.int(text.length + 1);
    const edit = random.int(5);
    if (edit === 0) text = text.slice(0, at) + text.slice(at + 1 + random.int(8));
    else if (edit === 1) text = text.slice(0, at) + random.pick(pieces).repeat(1 + random.int(3)) + text.slice(at);
    else if (edit === 2) text = text.slice(0, at) + random.pick(texts).slice(random.int(40));
    else if (edit === 3) text = text.slice(0, at) + text.slice(random.int(text.length + 1)).slice(0, 10_000);
    else text = text.slice(0, at) + random.pick(pieces).repeat(random.pick([50, 200, 1000])) + text.slice(at);
  }
  return text;
}

/** Returns the bytes after a few edits: flipped bits, wrong lengths, cut or repeated parts. */
export function mutateBytes(bytes: Uint8Array, random: Random): Buffer {
  let changed = Buffer.from(bytes);
  for (let edits = random.int(4); edits > 0 && changed.length > 0; edits--) {
    const at = random.int(changed.length);
    const edit = random.int(4);
    if (edit === 0) changed[at] = (changed[at] ?? 0) ^ (1 << random.int(8));
    else if (edit === 1)
      changed.fill(random.pick([0, 0x20, 0x37, 0x80, 0xff]), at, Math.min(changed.length, at + 1 + random.int(16)));
    else if (edit === 2) changed = changed.subarray(0, at);
    else changed = Buffer.concat([changed.subarray(0, at), changed.subarray(random.int(changed.length))]);
  }
  return changed;
}

/** A JSON value that a hostile server may send instead of the one that is expected. */
const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e308,
  2 ** 53,
  '',
  '../../../etc/passwd',
  'sha256:',
  `sha256:${'0'.repeat(64)}`,
  `sha512:${'0'.repeat(128)}`,
  '\0',
  'x'.repeat(10_000),
  [],
  {},
  [null],
  { __proto__: null, constructor: 1 },
  JSON.parse('{"__proto__": {"polluted": true}, "toString": 1, "length": -1}'),
];

/** Returns a document with some of its values replaced, removed or nested deeply. */
export function mutateJson(value: unknown, random: Random, depth = 0): unknown {
  const choice = random.int(24);
  if (choice === 0) return random.pick(VALUES);
  if (choice === 1 && depth > 0) return undefined;
  if (choice === 2 && depth > 0) return nested(value, random.pick([2, 100, 3000]));
  if (Array.isArray(value)) {
    const items = value.map((item) => mutateJson(item, random, depth + 1));
    return random.int(8) === 0 ? [...items, ...items] : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      random.int(30) === 0 ? name.toUpperCase() : name,
      mutateJson(field, random, depth + 1),
    ]),
  );
}

function nested(value: unknown, levels: number): unknown {
  let outer = value;
  for (let level = 0; level < levels; level++) outer = level % 2 === 0 ? [outer] : { a: outer };
  return outer;
}
