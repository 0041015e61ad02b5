/** One line of a mount table. */
export interface MountEntry {
  readonly source: string;
  readonly target: string;
  /** `none` for binds. */
  readonly type: string;
  readonly options: readonly string[];
  /** The working directory for relative paths in the options. */
  readonly directory?: string;
}

/** Formats the entries as `mount --all --fstab` reads them, in order. */
export function fstabText(entries: readonly MountEntry[]): string {
  return entries.map((entry) => `${fstabLine(entry)}\n`).join('');
}

function fstabLine({ source, target, type, options }: MountEntry): string {
  return [source, target, type, options.join(',')].map(escapeField).join(' ') + ' 0 0';
}

/** fstab(5) has octal escapes. Blanks end a field; `#` starts a comment. */
function escapeField(field: string): string {
  return field.replace(/[\s\\#]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`);
}
