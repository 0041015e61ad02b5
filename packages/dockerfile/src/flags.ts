import type { Word } from './instruction.ts';
import { type LogicalLine, type Span, rangeOf } from './logical-lines.ts';
import { didYouMean, syntaxError } from './syntax-error.ts';
import { isSpace, skipSpaces } from './whitespace.ts';
import { trimmed } from './words.ts';

/** A `--name[=value]`, with quotes and escapes removed. */
export interface RawFlag {
  readonly name: string;
  readonly value?: string;
  readonly start: number;
  readonly end: number;
  /** The offset of the value in the line. */
  readonly valueStart: number;
}

/** Returns the flags after the keyword and the text after them. `--` ends the flags. */
export function splitFlags(line: string, start: number, end: number): { flags: RawFlag[]; rest: Span } {
  const flags: RawFlag[] = [];
  let at = skipSpaces(line, start, end);
  while (line.startsWith('--', at) && at < end) {
    const flag = readFlag(line, at, end);
    at = skipSpaces(line, flag.end, end);
    if (flag.name === '' && flag.value === undefined) break;
    flags.push(flag);
  }
  return { flags, rest: trimmed(line, at, end) };
}

function readFlag(line: string, start: number, end: number): RawFlag {
  let quote = '';
  let text = '';
  let valueStart = end;
  let at = start;
  for (; at < end; at++) {
    let character = line.charAt(at);
    if (quote === '' && isSpace(line.charCodeAt(at))) break;
    if (character === quote) quote = '';
    else if (quote === '' && (character === '"' || character === "'")) quote = character;
    else {
      // Flags use the backslash only, whatever the file's escape character is.
      if (character === '\\') character = line.charAt(++at);
      if (character === '=' && valueStart === end) valueStart = at + 1;
      text += character;
    }
  }
  const stop = Math.min(at, end);
  const equals = text.indexOf('=');
  if (equals < 0) return { name: text.slice(2), start, end: stop, valueStart: stop };
  return { name: text.slice(2, equals), value: text.slice(equals + 1), start, end: stop, valueStart };
}

/** Whether a flag is a switch, takes one value, or may be repeated. */
export type FlagKind = 'boolean' | 'value' | 'list';

/** Flags by name; the words of a switch are `true` or `false`. */
export type Flags = ReadonlyMap<string, readonly Word[]>;

const NO_FLAGS: Flags = new Map();

/** Checks flags against the known ones. Throws for unknown flags, repeated flags and missing values. */
export function readFlags(
  line: LogicalLine,
  raw: readonly RawFlag[],
  known: Readonly<Record<string, FlagKind>>,
): Flags {
  if (raw.length === 0) return NO_FLAGS;
  const flags = new Map<string, Word[]>();
  for (const flag of raw) {
    const range = rangeOf(line, flag.start, flag.end);
    const kind = Object.hasOwn(known, flag.name) ? known[flag.name] : undefined;
    if (kind === undefined) {
      throw syntaxError(`Unknown flag: --${flag.name}${didYouMean(flag.name, Object.keys(known))}`, range);
    }
    const words = flags.get(flag.name) ?? [];
    if (words.length > 0 && kind !== 'list') throw syntaxError(`Duplicate flag specified: --${flag.name}`, range);
    const location = rangeOf(line, flag.valueStart, flag.end);
    words.push({ text: kind === 'boolean' ? readSwitch(line, flag) : readValue(line, flag), location });
    flags.set(flag.name, words);
  }
  return flags;
}

function readValue(line: LogicalLine, flag: RawFlag): string {
  if (flag.value !== undefined) return flag.value;
  throw syntaxError(`Missing a value on flag: --${flag.name}`, rangeOf(line, flag.start, flag.end));
}

function readSwitch(line: LogicalLine, flag: RawFlag): string {
  if (flag.value === undefined) return 'true';
  const value = readValue(line, flag).toLowerCase();
  if (value === 'true' || value === 'false') return value;
  const range = rangeOf(line, flag.start, flag.end);
  if (value === '') throw syntaxError(`Missing a value on flag: --${flag.name}`, range);
  throw syntaxError(`Expecting boolean value for flag --${flag.name}, not: ${flag.value}`, range);
}

/** Returns the value of a flag that may be given once. An empty value counts as absent. */
export function flagWord(flags: Flags, name: string): Word | undefined {
  const word = flags.get(name)?.[0];
  return word?.text === '' ? undefined : word;
}

/** Returns the value of a switch, or undefined if it is not given. */
export function flagSwitch(flags: Flags, name: string): boolean | undefined {
  const word = flags.get(name)?.[0];
  return word === undefined ? undefined : word.text === 'true';
}
