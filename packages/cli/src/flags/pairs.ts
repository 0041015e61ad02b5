import { TbuildError } from '@tbuild/errors';

/** Splits `NAME=VALUE` at the first `=`; a bare name has an empty value. */
export function splitPair(text: string): [name: string, value: string] {
  const at = text.indexOf('=');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** Returns the text of an option that is `NAME=VALUE` or `NAME`. @throws TbuildError USAGE for a text without a name. */
export function requireName(text: string, option: string): string {
  if (text !== '' && !text.startsWith('=')) return text;
  throw new TbuildError('USAGE', `Invalid ${option} ${JSON.stringify(text)}: expected NAME=VALUE`);
}

/**
 * Splits `NAME=VALUE`.
 * @throws TbuildError USAGE that shows the expected `form`, for a text without `=` or without a name.
 */
export function requirePair(text: string, option: string, form: string): [name: string, value: string] {
  if (text.indexOf('=') > 0) return splitPair(text);
  throw new TbuildError('USAGE', `Invalid ${option} ${JSON.stringify(text)}: expected ${form}`);
}
