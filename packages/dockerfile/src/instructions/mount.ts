import { TbuildError, type SourceRange } from '@tbuild/errors';
import type { MountFlag, Word } from '../instruction.ts';
import { didYouMean, syntaxError } from '../syntax-error.ts';

type MountType = MountFlag['type'];

const TYPES: readonly MountType[] = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'];

/** Each option name, its name in the result, and the mount types that accept it. */
const OPTIONS: Readonly<Record<string, { readonly name: string; readonly types?: readonly MountType[] }>> = {
  type: { name: 'type' },
  from: { name: 'from', types: ['bind', 'cache', 'tmpfs', 'ssh'] },
  source: { name: 'source' },
  src: { name: 'source' },
  target: { name: 'target' },
  dst: { name: 'target' },
  destination: { name: 'target' },
  readonly: { name: 'readonly' },
  ro: { name: 'readonly' },
  readwrite: { name: 'readwrite' },
  rw: { name: 'readwrite' },
  id: { name: 'id' },
  sharing: { name: 'sharing', types: ['cache'] },
  required: { name: 'required', types: ['secret', 'ssh'] },
  mode: { name: 'mode', types: ['cache', 'secret', 'ssh'] },
  uid: { name: 'uid', types: ['cache', 'secret', 'ssh'] },
  gid: { name: 'gid', types: ['cache', 'secret', 'ssh'] },
  size: { name: 'size', types: ['tmpfs'] },
  env: { name: 'env', types: ['secret'] },
};

const SWITCHES = new Set(['readonly', 'readwrite', 'required']);
const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

interface Option {
  readonly key: string;
  readonly name: string;
  readonly value: string;
  /** The whole field, for messages. */
  readonly field: string;
}

/** Parses one `--mount`. Checks the names, the types and all values without variables. */
export function parseMount(word: Word): MountFlag {
  const options = splitFields(word).map((field) => parseOption(word, field));
  const typeOption = options.findLast((option) => option.name === 'type');
  const written = typeOption?.value.toLowerCase() ?? 'bind';
  const type = TYPES.find((candidate) => candidate === written);
  if (type === undefined) {
    throw syntaxError(
      `Unsupported mount type "${written}"`,
      fieldRange(word, typeOption?.field),
      didYouMean(written, TYPES),
    );
  }
  const values: Record<string, string> = {};
  for (const option of options) {
    const { key, name, value, field } = option;
    const types = OPTIONS[key]?.types;
    if (types !== undefined && !types.includes(type)) {
      throw syntaxError(`Unexpected key "${key}" for mount type "${type}"`, fieldRange(word, field));
    }
    checkValue(word, option);
    if (name === 'readwrite') values.readonly = isTrue(value) ? 'false' : 'true';
    else if (name !== 'type') values[name] = SWITCHES.has(name) && !value.includes('$') ? String(isTrue(value)) : value;
  }
  if (type === 'secret') checkSecret(word, values);
  return { type, options: values, location: word.location };
}

function parseOption(word: Word, field: string): Option {
  const equals = field.indexOf('=');
  const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
  const name = Object.hasOwn(OPTIONS, key) ? OPTIONS[key]?.name : undefined;
  if (equals < 0 && (name === undefined || !SWITCHES.has(name))) {
    throw syntaxError(`Invalid field "${field}" must be a key=value pair`, fieldRange(word, field), hintFor(key));
  }
  if (name === undefined)
    throw syntaxError(`Unexpected key "${key}" in "${field}"`, fieldRange(word, field), hintFor(key));
  return { key, name, value: equals < 0 ? 'true' : field.slice(equals + 1), field };
}

function hintFor(key: string): string | undefined {
  return Object.hasOwn(OPTIONS, key) ? undefined : didYouMean(key, Object.keys(OPTIONS));
}

function isTrue(value: string): boolean {
  return TRUE.has(value);
}

const VALID: Readonly<Record<string, (value: string) => boolean>> = {
  readonly: isBoolean,
  readwrite: isBoolean,
  required: isBoolean,
  sharing: (value) => ['shared', 'private', 'locked'].includes(value.toLowerCase()),
  mode: (value) => /^[0-7]+$/.test(value) && Number.parseInt(value, 8) < 2 ** 32,
  uid: isId,
  gid: isId,
};

function isBoolean(value: string): boolean {
  return TRUE.has(value) || FALSE.has(value);
}

function isId(value: string): boolean {
  return /^\d+$/.test(value) && Number(value) < 2 ** 32;
}

function checkValue(word: Word, { key, name, value, field }: Option): void {
  const place = fieldRange(word, field);
  if (name === 'from' && /\$./.test(value)) {
    const hint = 'Define a stage with FROM that uses the variable, and name that stage';
    throw syntaxError(`"${key}" doesn't support variable expansion`, place, hint);
  }
  if (value.includes('$')) {
    if (name !== 'readwrite') return;
    throw new TbuildError('UNSUPPORTED', `"${key}" doesn't support variable expansion`, {
      location: place,
      hint: 'Use readonly=, which does',
    });
  }
  if (VALID[name]?.(value) === false) throw syntaxError(`Invalid value for ${key}: ${value}`, place);
}

function checkSecret(word: Word, { source, target, id }: Record<string, string>): void {
  if (!source && !target && !id) {
    throw syntaxError('Invalid secret mount, one of source, target required', word.location);
  }
  if (source && id) throw syntaxError("Both source and id can't be set for a secret mount", word.location);
}

/** Returns the range of a field, or the whole word if continuations or escapes hide the field's offset. */
function fieldRange({ text, location }: Word, field: string | undefined): SourceRange {
  const { file, start, end } = location;
  const at = field === undefined ? -1 : `,${text},`.indexOf(`,${field},`);
  if (field === undefined || at < 0 || start.line !== end.line || end.column - start.column !== text.length)
    return location;
  const column = start.column + at;
  return { file, start: { line: start.line, column }, end: { line: start.line, column: column + field.length } };
}

/** Splits one CSV record into fields. */
function splitFields(word: Word): string[] {
  const { text } = word;
  if (text === '')
    throw syntaxError('Mount has no options', word.location, 'For example --mount=type=cache,target=/cache');
  const fields: string[] = [];
  for (let at = 0; ;) {
    if (text[at] !== '"') {
      const comma = text.indexOf(',', at);
      const field = text.slice(at, comma < 0 ? undefined : comma);
      if (field.includes('"')) throw syntaxError('Bare " in an unquoted field of a mount', word.location);
      fields.push(field);
      if (comma < 0) return fields;
      at = comma + 1;
      continue;
    }
    const end = quotedEnd(text, at);
    if (end === undefined) throw syntaxError('Extraneous or missing " in a quoted field of a mount', word.location);
    fields.push(text.slice(at + 1, end).replaceAll('""', '"'));
    if (end + 1 === text.length) return fields;
    at = end + 2;
  }
}

/** Finds the closing quote of the field that opens at `start`. The quote must end the field. */
function quotedEnd(text: string, start: number): number | undefined {
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return undefined;
    if (text[quote + 1] !== '"') return quote + 1 === text.length || text[quote + 1] === ',' ? quote : undefined;
    at = quote + 2;
  }
}
