import type { DeviceFlag, Word } from '../instruction.ts';
import { didYouMean, syntaxError } from '../syntax-error.ts';
import { splitFields } from './mount.ts';

const KEYS = ['name', 'required'];
const TRUE = /^(?:1|t|T|TRUE|true|True)$/;
const FALSE = /^(?:0|f|F|FALSE|false|False)$/;

/** Parses one `--device`: `vendor.com/class=name[,required]`, or the same with `name=`. Variables are not expanded. */
export function parseDevice(word: Word): DeviceFlag {
  let name = '';
  let required = false;
  for (const field of splitFields(word, 'Device')) {
    const equals = field.indexOf('=');
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    const value = equals < 0 ? undefined : field.slice(equals + 1);
    if (key === 'required') required = booleanOf(value ?? 'true', word);
    else if (key === 'name' && value !== undefined) {
      if (name !== '') throw syntaxError(`Device name already set to ${name}`, word.location);
      name = value;
    } else if (name === '') name = field;
    else if (value === undefined) throw syntaxError(`Invalid field '${field}' must be a key=value pair`, word.location);
    else throw syntaxError(`Unexpected key '${key}' in '${field}'${didYouMean(key, KEYS)}`, word.location);
  }
  if (name === '') throw syntaxError('The device has no name', word.location, HINT);
  return { name, required, location: word.location };
}

const HINT = 'Write for example --device=vendor.com/class=name';

function booleanOf(value: string, word: Word): boolean {
  if (TRUE.test(value) || FALSE.test(value)) return TRUE.test(value);
  throw syntaxError(`Invalid value for required: ${value}`, word.location, 'Write true or false');
}
