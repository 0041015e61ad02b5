const TRUE: ReadonlySet<unknown> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE: ReadonlySet<unknown> = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/** Reads a boolean as Go's `strconv.ParseBool` does, which Docker's tools use. Returns undefined for anything else. */
export function goBool(text: string | null | undefined): boolean | undefined {
  if (TRUE.has(text)) return true;
  return FALSE.has(text) ? false : undefined;
}
