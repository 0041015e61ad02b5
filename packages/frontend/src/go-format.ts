/** Formats a list as Go's `%v`: `[a b]`. */
export function formatList(items: readonly string[]): string {
  return `[${items.join(' ')}]`;
}

/** Formats a list of strings as Go's `%q`: `["a" "b"]`. */
export function formatQuotedList(items: readonly string[]): string {
  return `[${items.map(formatQuoted).join(' ')}]`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
};

/** Quotes a string as Go's `%q`. */
export function formatQuoted(text: string): string {
  if (/^[ !#-[\]-~]*$/.test(text)) return `"${text}"`;
  const characters = Array.from(text, (character) => {
    const known = ESCAPES[character];
    if (known !== undefined) return known;
    if (/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character)) return character;
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
  return `"${characters.join('')}"`;
}

const SMALL_UNITS: readonly (readonly [unit: string, nanoseconds: number])[] = [
  ['ms', 1e6],
  ['µs', 1e3],
  ['ns', 1],
];

/** Formats nanoseconds as Go's durations: `5m0s`, `1h0m0.5s`, `300ms`. */
export function formatDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return '0s';
  for (const [unit, size] of SMALL_UNITS) {
    if (nanoseconds < 1e9 && nanoseconds >= size) return `${decimal(nanoseconds, size)}${unit}`;
  }
  const minutes = Math.floor(nanoseconds / 60e9);
  const hours = Math.floor(minutes / 60);
  const seconds = `${decimal(nanoseconds - minutes * 60e9, 1e9)}s`;
  if (minutes === 0) return seconds;
  return `${hours === 0 ? '' : `${hours}h`}${minutes % 60}m${seconds}`;
}

/** Divides exactly: `unit` is a power of ten. */
function decimal(value: number, unit: number): string {
  const fraction = String(Math.round(value % unit))
    .padStart(String(unit).length - 1, '0')
    .replace(/0+$/, '');
  return `${Math.floor(value / unit)}${unit === 1 || fraction === '' ? '' : `.${fraction}`}`;
}
