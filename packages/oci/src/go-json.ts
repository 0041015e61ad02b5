/**
 * Returns JSON as Go's `encoding/json` writes it. A `Map` is a map of Go: its keys are sorted by their bytes. Any other
 * object is a struct: its fields keep their order, and undefined ones are left out.
 */
export function goJson(value: unknown, { indent = '' }: { readonly indent?: string } = {}): string {
  return write(value, indent, indent === '' ? '' : '\n');
}

/** Returns a record as a map of Go. */
export function goMap<T>(record: Readonly<Record<string, T>>): ReadonlyMap<string, T> {
  return new Map(Object.entries(record));
}

/** Returns a struct without the fields that Go's `omitempty` leaves out. */
export function omitEmpty(struct: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(struct).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return true;
  return Array.isArray(value) ? value.length === 0 : value instanceof Map && value.size === 0;
}

function write(value: unknown, indent: string, newline: string): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const inner = newline === '' ? '' : newline + indent;
  const list = ([open, close]: readonly [string, string], items: readonly string[]): string =>
    items.length === 0 ? open + close : open + inner + items.join(`,${inner}`) + newline + close;
  if (Array.isArray(value))
    return list(
      ['[', ']'],
      value.map((item) => write(item, indent, inner)),
    );
  const colon = newline === '' ? ':' : ': ';
  const members = membersOf(value).map(([name, member]) => quote(name) + colon + write(member, indent, inner));
  return list(['{', '}'], members);
}

function membersOf(value: object): readonly (readonly [string, unknown])[] {
  if (!(value instanceof Map)) return Object.entries(value).filter(([, member]) => member !== undefined);
  const entries: readonly (readonly [string, unknown])[] = [...value];
  return entries.toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** Go escapes what could end a script in HTML. A lone surrogate cannot be in its strings. */
function quote(text: string): string {
  const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(text.replace(/\p{Surrogate}/gu, '\ufffd')).replace(/[<>&\u2028\u2029]/g, escaped);
}
