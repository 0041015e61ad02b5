import type { Random } from '../../support/random.ts';

/** Long texts are rare, for they take most of the time. */
const REPEATS = [50, 50, 50, 50, 50, 50, 50, 50, 200, 1000];

/** Returns one of the texts after a few edits: cuts, repeats, pieces of the language, lines and ends of other texts. */
export function mutateText(texts: readonly string[], pieces: readonly string[], random: Random): string {
  let text = random.pick(texts);
  for (let edits = random.int(5); edits > 0; edits--) {
    const at = random.int(text.length + 1);
    const [start, end] = [text.slice(0, at), text.slice(at)];
    const insertLine = (): string => {
      const line = start.lastIndexOf('\n') + 1;
      return text.slice(0, line) + random.pick(random.pick(texts).split(/(?<=\n)/)) + text.slice(line);
    };
    const edit = random.pick([
      () => start + end.slice(1 + random.int(8)),
      () => start + random.pick(pieces).repeat(1 + random.int(3)) + end,
      () => start + random.pick(pieces).repeat(random.pick(REPEATS)) + end,
      () => start + random.pick(texts).slice(random.int(40)),
      () => start + text.slice(random.int(text.length + 1)).slice(0, 10_000),
      insertLine,
      insertLine,
      insertLine,
    ]);
    text = edit();
  }
  return text;
}

/** Returns the bytes after a few edits: flipped bits, wrong lengths, cut or repeated parts. */
export function mutateBytes(bytes: Uint8Array, random: Random): Buffer {
  let changed = Buffer.from(bytes);
  for (let edits = random.int(4); edits > 0 && changed.length > 0; edits--) {
    const at = random.int(changed.length);
    const start = changed.subarray(0, at);
    const edit = random.pick([
      () => Buffer.concat([start, Buffer.of(changed[at]! ^ (1 << random.int(8))), changed.subarray(at + 1)]),
      () =>
        changed.fill(random.pick([0, 0x20, 0x37, 0x80, 0xff]), at, Math.min(changed.length, at + 1 + random.int(16))),
      () => start,
      () => Buffer.concat([start, changed.subarray(random.int(changed.length))]),
    ]);
    changed = edit();
  }
  return changed;
}

/** The fields of a tar header, by their place and length. */
const FIELDS = [0, 100, 108, 116, 124, 136, 257, 329, 337, 345, 508].map(
  (at, index, all) => [at, (all[index + 1] ?? 512) - at] as const,
);
const FILLS = [
  '',
  '-1',
  '8',
  '0',
  '7'.repeat(12),
  '9'.repeat(12),
  '../../x',
  'ustar  \0',
  'tar\0',
  '\x80\0\0\0\0\x7f',
  '\xff'.repeat(12),
];

/** Returns an archive after a few edits. Mostly, the checksums of its headers are right. */
export function mutateTar(archive: Buffer, random: Random): Buffer {
  if (random.int(6) === 0) return mutateBytes(archive, random);
  const changed = Buffer.from(archive);
  for (let edits = random.int(3); edits > 0; edits--) {
    const at = 512 * random.int(changed.length / 512);
    const block = changed.subarray(at, at + 512);
    if (random.int(2) === 0) block.write(random.pick([...'01234567gxLKSV\0']), 156);
    else {
      const [start, length] = random.pick(FIELDS);
      block.fill(0, start, start + length).write(random.pick(FILLS), start, length, 'latin1');
    }
    block.fill(' ', 148, 156);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
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
  [],
  {},
  [null],
  'constructor',
  -0.5,
  2 ** 32,
  { __proto__: null, constructor: 1 },
  JSON.parse('{"__proto__": {"polluted": true}, "toString": 1, "length": -1}'),
];

/** Stands for so many nested lists that whatever descends into them runs out of stack. */
const DEEP = '[deep]';
const LARGE: readonly unknown[] = ['x'.repeat(10_000), Array.from({ length: 2000 }, () => 0), DEEP];

/** Returns the text of a mutated document. */
export function jsonOf(value: unknown): string {
  const text = JSON.stringify(value) ?? '';
  return text.includes(DEEP) ? text.replaceAll(JSON.stringify(DEEP), '['.repeat(20_000) + ']'.repeat(20_000)) : text;
}

/** Returns a document after a few edits. Few, for a reader stops at the first that it does not take. */
export function mutateJson(value: unknown, random: Random): unknown {
  let changed = value;
  for (let edits = random.int(4); edits > 0; edits--) changed = edited(changed, random, 20);
  return changed;
}

/** Replaces one value somewhere in a document: one time in `rarely` the document itself. */
function edited(value: unknown, random: Random, rarely = 5): unknown {
  const names = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  if (names.length === 0 || random.int(rarely) === 0) return replaced(value, random);
  const name = random.pick(names);
  if (Array.isArray(value)) return value.with(Number(name), edited(value[Number(name)], random));
  const { [name]: field, ...rest } = Object(value);
  return { ...rest, [random.int(12) === 0 ? name.toUpperCase() : name]: edited(field, random) };
}

function replaced(value: unknown, random: Random): unknown {
  const choice = random.int(6);
  if (choice < 2) return random.pick(random.int(20) === 0 ? LARGE : VALUES);
  if (choice === 2) return undefined;
  if (choice === 3) return nested(value, random.pick([1, 2, 2, 100]));
  if (Array.isArray(value)) return [...value, ...value];
  if (typeof value === 'number') return random.pick([-value, value + 0.5, String(value), value + 1, value * 2 ** 40]);
  if (typeof value === 'string')
    return random.pick([value.slice(1), `${value}\0`, `/${value}`, `../${value}`, [value]]);
  return Object.entries(Object(value));
}

function nested(value: unknown, levels: number): unknown {
  let outer = value;
  for (let level = 0; level < levels; level++) outer = level % 2 === 0 ? [outer] : { a: outer };
  return outer;
}
