/** What has a colour of its own, by BuildKit's names: finished, failed and cancelled steps, and warnings. */
export type ThemeColor = 'run' | 'error' | 'cancel' | 'warning';

/** The escape sequences that begin each colour. */
export type Theme = Readonly<Record<ThemeColor, string>>;

export const defaultTheme: Theme = {
  run: '\x1b[34m',
  error: '\x1b[31m',
  cancel: '\x1b[33m',
  warning: '\x1b[33m',
};

const NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];

/**
 * Reads BUILDKIT_COLORS, such as `run=green:error=255,0,0`: a colour's name, or red, green and blue. As with BuildKit, a
 * part that is not valid has no effect.
 */
export function readTheme(text: string): Theme {
  const given = text.split(':').flatMap((part) => {
    const [name = '', color = ''] = part.split('=');
    const code = codeOf(color.trim().toLowerCase());
    return code !== undefined && Object.hasOwn(defaultTheme, name.trim()) ? [[name.trim(), code]] : [];
  });
  return { ...defaultTheme, ...Object.fromEntries(given) };
}

function codeOf(color: string): string | undefined {
  const name = NAMES.indexOf(color.replace(/^(?:light|bright)[-_]?/, ''));
  if (name >= 0) return `\x1b[${(/^(?:light|bright)/.test(color) ? 90 : 30) + name}m`;
  const parts = color.split(',').map((part) => part.trim());
  const isRgb = parts.length === 3 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256);
  return isRgb ? `\x1b[38;2;${parts.join(';')}m` : undefined;
}
