import type { SourceRange } from '@tbuild/errors';
import { goBool } from '@tbuild/oci';
import type { MountFlag, MountType, Word } from '../instruction.ts';
import { didYouMean, syntaxError } from '../syntax-error.ts';

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

interface Option {
  readonly key: string;
  readonly name: string;
  /** Undefined while it has variables. */
  readonly value?: string;
  /** The value with its variables. */
  readonly text: string;
  /** The whole field, for messages. */
  readonly field: string;
}

/** Parses one `--mount`. Checks the names, the types and all values without variables. */
export function parseMount(word: Word): MountFlag {
  const options = parseOptions(word).map((option) => ({
    ...option,
    value: hasVariable(option) ? undefined : option.text,
  }));
  return { ...readOptions(word, options), word };
}

/**
 * Expands the values of a mount, all but `from`, and checks them again.
 * @throws TbuildError DOCKERFILE_SYNTAX for a value that the mount cannot have.
 */
export function expandMount(
  { word }: Pick<MountFlag, 'word'>,
  expand: (text: string) => string,
): MountFlag & { readonly type: MountType } {
  const options = parseOptions(word).map((option) => ({
    ...option,
    value: option.name === 'from' ? option.text : expand(option.text),
  }));
  const { type = 'bind', ...rest } = readOptions(word, options);
  return { type, ...rest, word };
}

function hasVariable({ name, text }: Option): boolean {
  return name !== 'from' && text.includes('$');
}

function parseOptions(word: Word): Option[] {
  const options = splitFields(word).map((field) => parseOption(word, field));
  for (const option of options) if (option.name === 'from') checkFrom(word, option);
  return options;
}

/** Checks options with values, and normalises them. */
function readOptions(word: Word, options: readonly Option[]): Omit<MountFlag, 'word'> {
  const type = typeOf(word, options);
  const values: Record<string, string> = {};
  for (const option of options) {
    const { key, name, value, text, field } = option;
    const types = OPTIONS[key]?.types;
    if (types !== undefined && type !== undefined && !types.includes(type)) {
      throw syntaxError(`Unexpected key '${key}' for mount type '${type}'`, fieldRange(word, field));
    }
    if (value !== undefined) checkValue(word, { ...option, value });
    if (name === 'type') continue;
    if (value === undefined) values[name === 'readwrite' ? 'readonly' : name] = text;
    else if (name === 'readwrite') values.readonly = goBool(value) === true ? 'false' : 'true';
    else values[name] = SWITCHES.has(name) ? String(goBool(value) === true) : value;
  }
  if (type === 'secret') checkSecret(word, values);
  return { type, options: values, location: word.location };
}

/** Returns the type that the last such option names. Undefined if a variable does. */
function typeOf(word: Word, options: readonly Option[]): MountType | undefined {
  const option = options.findLast(({ name }) => name === 'type');
  if (option === undefined) return 'bind';
  if (option.value === undefined) return undefined;
  const written = option.value.toLowerCase();
  const type = TYPES.find((candidate) => candidate === written);
  if (type !== undefined) return type;
  const message = `Unsupported mount type "${written}"${didYouMean(written, TYPES)}`;
  throw syntaxError(message, fieldRange(word, option.field), `Use ${TYPES.join(', ')}`);
}

function parseOption(word: Word, field: string): Option {
  const equals = field.indexOf('=');
  const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
  const name = Object.hasOwn(OPTIONS, key) ? OPTIONS[key]?.name : undefined;
  if (equals < 0 && (name === undefined || !SWITCHES.has(name))) {
    throw syntaxError(
      `Invalid field '${field}' must be a key=value pair${suggestionFor(key)}`,
      fieldRange(word, field),
      field === '' ? 'Leave out spaces: the value ends at the first one' : undefined,
    );
  }
  if (name === undefined)
    throw syntaxError(`Unexpected key '${key}' in '${field}'${suggestionFor(key)}`, fieldRange(word, field));
  return { key, name, text: equals < 0 ? 'true' : field.slice(equals + 1), field };
}

function suggestionFor(key: string): string {
  if (TYPES.some((type) => type === key)) return ` (did you mean type=${key}?)`;
  return Object.hasOwn(OPTIONS, key) ? '' : didYouMean(key, Object.keys(OPTIONS));
}

const SHARING = ['shared', 'private', 'locked'];

/** The fault of a value that an option cannot have. */
type Fault = (value: string, key: string) => readonly [message: string, hint?: string] | undefined;

const FAULTS: Readonly<Record<string, Fault>> = {
  readonly: booleanFault,
  readwrite: booleanFault,
  required: booleanFault,
  sharing(value) {
    if (SHARING.includes(value.toLowerCase())) return undefined;
    const message = `Unsupported sharing value "${value}"${didYouMean(value, SHARING)}`;
    return [message, 'Write shared, private or locked'];
  },
  mode(value) {
    if (/^[0-7]+$/.test(value) && Number.parseInt(value, 8) < 2 ** 32) return undefined;
    return [`Invalid value ${value} for mode`, 'Write an octal number, for example mode=0600'];
  },
  uid: idFault,
  gid: idFault,
};

function checkValue(word: Word, { key, name, value, field }: Option & { readonly value: string }): void {
  const fault = FAULTS[name]?.(value, key);
  if (fault !== undefined) throw syntaxError(fault[0], fieldRange(word, field), fault[1]);
}

function booleanFault(value: string, key: string): ReturnType<Fault> {
  return goBool(value) !== undefined ? undefined : [`Invalid value for ${key}: ${value}`, 'Write true or false'];
}

function idFault(value: string, key: string): ReturnType<Fault> {
  if (/^\d+$/.test(value) && Number(value) < 2 ** 32) return undefined;
  return [`Invalid value ${value} for ${key}`, 'Write a number: names are not looked up here'];
}

function checkFrom(word: Word, { key, text, field }: Option): void {
  if (!/\$./.test(text)) return;
  const hint = 'Define a stage with FROM that uses the variable, and name that stage';
  throw syntaxError(`"${key}" doesn't support variable expansion`, fieldRange(word, field), hint);
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

const EXAMPLES: Readonly<Record<string, string>> = {
  Mount: '--mount=type=cache,target=/cache',
  Device: '--device=vendor.com/class=name',
};

/** Splits the value of a flag, one CSV record, into fields. `what` names it in messages. */
export function splitFields(word: Word, what = 'Mount'): string[] {
  const { text } = word;
  if (text === '') throw syntaxError(`${what} has no options`, word.location, `Write for example ${EXAMPLES[what]}`);
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
