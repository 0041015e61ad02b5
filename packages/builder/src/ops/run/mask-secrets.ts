/** Replaces secrets in the output. */
const MASK = Buffer.from('***');

/** Lines of a longer secret are masked too, unless they are as short as `}` or `-----`. */
const SHORTEST_LINE = 8;

/** Replaces secrets in a stream by `***`, including those split over two chunks. */
export interface SecretMask {
  /** Returns what can be shown now. Holds the end back if it may be the start of a secret. */
  write(data: Uint8Array): Uint8Array;
  /** Returns what was held back. */
  end(): Uint8Array;
}

/** Creates a mask for one stream. */
export function createSecretMask(secrets: readonly Uint8Array[]): SecretMask {
  const patterns = patternsOf(secrets);
  if (patterns.every((some) => some === undefined)) return { write: (data) => data, end: () => new Uint8Array() };
  let held: Uint8Array = new Uint8Array();
  return {
    write(data) {
      const { shown, rest } = scan(held.length === 0 ? data : Buffer.concat([held, data]), { patterns, isEnd: false });
      held = rest;
      return shown;
    },
    end: () => scan(held, { patterns, isEnd: true }).shown,
  };
}

/** Returns a text with its secrets masked. */
export function maskText(text: string, secrets: readonly Uint8Array[]): string {
  const mask = createSecretMask(secrets);
  return Buffer.concat([mask.write(Buffer.from(text)), mask.end()]).toString();
}

/** Patterns by their first byte, longest first. An array, since every byte is looked up. */
type Patterns = readonly (readonly Uint8Array[] | undefined)[];

function patternsOf(secrets: readonly Uint8Array[]): Patterns {
  const texts = new Set(secrets.flatMap((secret) => wordsOf(Buffer.from(secret).toString('latin1'))));
  const patterns: (readonly Uint8Array[] | undefined)[] = Array.from({ length: 256 }, () => undefined);
  for (const text of [...texts].sort((a, b) => b.length - a.length)) {
    const pattern = Buffer.from(text, 'latin1');
    const first = pattern[0] ?? 0;
    patterns[first] = [...(patterns[first] ?? []), pattern];
  }
  return patterns;
}

/** Returns the secret without trailing line ends, which editors and shells add or remove, and its lines. */
function wordsOf(secret: string): string[] {
  const value = secret.trim();
  const lines = value
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line.length >= SHORTEST_LINE);
  return value === '' ? [] : [value, ...lines];
}

interface Search {
  readonly patterns: Patterns;
  /** Whether no more data follows. */
  readonly isEnd: boolean;
}

/** Scans for patterns. Plain loops without closures, since a step can print a hundred megabytes. */
function scan(data: Uint8Array, search: Search): { readonly shown: Uint8Array; readonly rest: Uint8Array } {
  const pieces: Uint8Array[] = [];
  const { length } = data;
  let done = 0;
  for (let at = 0; at < length; at++) {
    if (search.patterns[data[at] ?? 0] === undefined) continue;
    const matched = longestMatch(data, at, search);
    if (matched === UNDECIDED)
      return { shown: Buffer.concat([...pieces, data.subarray(done, at)]), rest: data.slice(at) };
    if (matched === 0) continue;
    pieces.push(data.subarray(done, at), MASK);
    at += matched - 1;
    done = at + 1;
  }
  if (pieces.length === 0) return { shown: data, rest: NOTHING };
  return { shown: Buffer.concat([...pieces, data.subarray(done)]), rest: NOTHING };
}

const NOTHING = new Uint8Array();

/** The data ends within a possible secret. */
const UNDECIDED = -1;

/** Returns the length of the longest pattern at a position, or 0. */
function longestMatch(data: Uint8Array, at: number, { patterns, isEnd }: Search): number {
  const left = data.length - at;
  let longest = 0;
  for (const pattern of patterns[data[at] ?? 0] ?? []) {
    const compared = Math.min(left, pattern.length);
    let index = 1;
    while (index < compared && data[at + index] === pattern[index]) index++;
    if (index < compared) continue;
    if (compared === pattern.length) longest ||= compared;
    else if (!isEnd) return UNDECIDED;
  }
  return longest;
}
