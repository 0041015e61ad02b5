import { TbuildError } from '@tbuild/errors';
import { goBool } from '@tbuild/oci';
import { parseCsvRow } from '../value/csv.ts';
import type { Entry } from './target.ts';

/** The attributes whose values are settings. */
export type EntryAttribute = 'attest' | 'cache-from' | 'cache-to' | 'secret' | 'ssh' | 'output';

/**
 * Reads an entry as a user writes it: settings separated by commas, or a short form.
 * @throws TbuildError BAKE_FILE
 */
export function parseEntry(attribute: EntryAttribute, text: string): Entry {
  if (attribute === 'ssh') return parseSsh(text);
  const fields = parseCsvRow(text);
  const [first = ''] = fields;
  const isShort = fields.length === 1 && !first.includes('=');
  if (isShort && attribute === 'output')
    return first === '-' ? { type: 'tar', dest: '-' } : { type: 'local', dest: first };
  if (isShort && attribute.startsWith('cache-')) return { type: 'registry', ref: first };
  return entryOf(attribute, fields.map(parsePair));
}

/**
 * Reads an entry that is an object.
 * @throws TbuildError BAKE_FILE
 */
export function entryOf(
  attribute: EntryAttribute,
  pairs: readonly (readonly [string, string | readonly string[]])[],
): Entry {
  const settings = Object.fromEntries(pairs);
  if (attribute === 'secret') return secretOf(settings);
  if (attribute === 'ssh') return settings;
  if (typeof settings.type !== 'string') throw new TbuildError('BAKE_FILE', `"type" is required for ${attribute}`);
  return attribute === 'attest' ? attestOf(settings) : settings;
}

function parsePair(field: string): [string, string] {
  const at = field.indexOf('=');
  if (at < 0) throw new TbuildError('BAKE_FILE', `invalid value ${field}`, { hint: 'Write NAME=VALUE' });
  return [field.slice(0, at).trim().toLowerCase(), field.slice(at + 1)];
}

/** With the type `env`, the source is the name of a variable. */
function secretOf({
  type,
  id,
  src,
  source,
  env,
  ...others
}: Readonly<Record<string, string | readonly string[] | undefined>>): Entry {
  const [unexpected] = Object.keys(others);
  if (unexpected !== undefined)
    throw new TbuildError('BAKE_FILE', `unexpected key ${JSON.stringify(unexpected)} of a secret`, {
      hint: 'Write type, id, src and env',
    });
  if (type !== undefined && type !== 'file' && type !== 'env')
    throw new TbuildError('BAKE_FILE', `unsupported secret type ${JSON.stringify(type)}`, {
      hint: 'Write file or env',
    });
  if (id === undefined) throw new TbuildError('BAKE_FILE', '"id" is required for secret');
  const given = src ?? source;
  const [file, variable] = type === 'env' && env === undefined ? [undefined, given] : [given, env];
  return { id, ...(file === undefined ? {} : { src: file }), ...(variable === undefined ? {} : { env: variable }) };
}

function parseSsh(text: string): Entry {
  const at = text.indexOf('=');
  if (at < 0) return { id: text };
  return { id: text.slice(0, at), paths: text.slice(at + 1).split(',') };
}

function attestOf({ disabled, ...settings }: Readonly<Record<string, string | readonly string[]>>): Entry {
  const isOff = disabled === undefined ? false : parseBool(String(disabled), 'disabled');
  return isOff ? { ...settings, disabled: true } : settings;
}

/** Reads a boolean as Go does. @throws TbuildError BAKE_FILE */
export function parseBool(text: string, name: string): boolean {
  const isOn = goBool(text);
  if (isOn !== undefined) return isOn;
  throw new TbuildError('BAKE_FILE', `Invalid value ${JSON.stringify(text)} of ${name}: expected true or false`);
}
