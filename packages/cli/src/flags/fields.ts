import { TbuildError } from '@tbuild/errors';

/**
 * Reads `name=value,name=value`. A field in double quotes may hold commas; a bare name is `name=true`.
 * @throws TbuildError USAGE
 */
export function parseFields(text: string, option: string): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {};
  for (const field of text.match(/(?:"(?:[^"]|"")*"|[^,"])+/g) ?? []) {
    const bare = field.startsWith('"') && field.endsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field;
    const at = bare.indexOf('=');
    const name = (at < 0 ? bare : bare.slice(0, at)).trim().toLowerCase();
    if (name === '')
      throw new TbuildError('USAGE', `Invalid ${option} ${JSON.stringify(masked(text))}: a field has no name`);
    fields[name] = at < 0 ? 'true' : bare.slice(at + 1);
  }
  return fields;
}

const SECRET = '(?:secret_access_key|session_token)=';
const SECRETS = new RegExp(`"(${SECRET})(?:[^"]|"")*"|\\b(${SECRET})[^,"]*`, 'gi');

/** Returns the text of an option without the secrets among its fields. */
export function masked(text: string): string {
  return text.replace(SECRETS, (_, quoted?: string, bare?: string) => `${quoted ?? bare}***`);
}
