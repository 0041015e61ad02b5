/** What stands in an output for a secret. */
const MASK = Buffer.from('***');

/** Lines of a longer secret are secrets too, unless they are as short as `}` or `-----`. */
const SHORTEST_LINE = 8;

/** Puts `***` in the place of secrets in a stream, also of those that two pieces share. */
export interface SecretMask {
  /** What can be shown now; the end is held back while it may be the beginning of a secret. */
  write(data: Uint8Array): Uint8Array;
  /** What was held back. */
  end(): Uint8Array;
}

/** A mask for one stream. */
export function createSecretMask(secrets: readonly Uint8Array[]): SecretMask {
  const patterns = patternsOf(secrets);
  if (patterns.size === 0) return { write: (data) => data, end: () => new Uint8Array() };
  let held: Uint8Array = new Uint8Array();
  return {
    write(data) {
      const { shown, rest } = scan(held.length === 0 ? data : Buffer.concat([held, data]), patterns, { isEnd: false });
      held = rest;
      return shown;
    },
    end: () => scan(held, patterns, { isEnd: true }).shown,
  };
}

/** A text without the secrets. */
export function maskText(text: string, secrets: readonly Uint8Array[]): string {
  const mask = createSecretMask(secrets);
  return Buffer.concat([mask.write(Buffer.from(text)), mask.end()]).toString();
}

/** What to look for, by its first byte, the longest first. */
type Patterns = ReadonlyMap<number, readonly Uint8Array[]>;

function patternsOf(secrets: readonly Uint8Array[]): Patterns {
  const texts = new Set(secrets.flatMap((secret) => wordsOf(Buffer.from(secret).toString('latin1'))));
  const patterns = new Map<number, Uint8Array[]>();
  for (const text of [...texts].sort((a, b) => b.length - a.length)) {
    const pattern = Buffer.from(text, 'latin1');
    const first = pattern[0] ?? 0;
    patterns.set(first, [...(patterns.get(first) ?? []), pattern]);
  }
  return patterns;
}

/** The value without the line ends that an editor or a shell adds or takes away, and its lines. */
function wordsOf(secret: string): string[] {
  const value = secret.trim();
  const lines = value.split(/[\r\n]+/).map((line) => line.trim()).filter((line) => line.length >= SHORTEST_LINE);
  return value === '' ? [] : [value, ...lines];
}

function scan(data: Uint8Array, patterns: Patterns, { isEnd }: { isEnd: boolean }): { readonly shown: Uint8Array; readonly rest: Uint8Array } {
  const pieces: Uint8Array[] = [];
  let done = 0;
  for (let at = 0; at < data.length; at++) {
    const candidates = patterns.get(data[at] ?? 0);
    if (candidates === undefined) continue;
    if (!isEnd && candidates.some((pattern) => continues(data, at, pattern))) {
      return { shown: Buffer.concat([...pieces, data.subarray(done, at)]), rest: data.slice(at) };
    }
    const found = candidates.find((pattern) => matches(data, at, pattern, pattern.length));
    if (found === undefined) continue;
    pieces.push(data.subarray(done, at), MASK);
    at += found.length - 1;
    done = at + 1;
  }
  if (pieces.length === 0) return { shown: data, rest: new Uint8Array() };
  return { shown: Buffer.concat([...pieces, data.subarray(done)]), rest: new Uint8Array() };
}

/** Whether the data ends within the pattern. */
function continues(data: Uint8Array, at: number, pattern: Uint8Array): boolean {
  const length = data.length - at;
  return length < pattern.length && matches(data, at, pattern, length);
}

function matches(data: Uint8Array, at: number, pattern: Uint8Array, length: number): boolean {
  if (data.length - at < length) return false;
  for (let index = 0; index < length; index++) if (data[at + index] !== pattern[index]) return false;
  return true;
}
