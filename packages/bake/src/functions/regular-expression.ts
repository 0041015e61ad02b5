import { TbuildError } from '@tbuild/errors';

/**
 * Translates a regular expression of Go.
 * @throws TbuildError BAKE_FILE
 */
export function goRegExp(pattern: string, flags = ''): RegExp {
  const [, options = '', rest = pattern] = /^\(\?([imsU]+)\)(.*)$/s.exec(pattern) ?? [];
  const translated = rest
    .replaceAll('(?P<', '(?<')
    .replace(/\\[AzQE]/g, (escape) => ({ '\\A': '^', '\\z': '$' })[escape] ?? '')
    .replace(/\[\[:(\^?)(\w+):\]/g, (_, not: string, name: string) => `[${not}${CLASSES[name] ?? ''}`)
    .replace(/\\([-_ "'`~!@#%&=:;,<>])/g, (_, char: string) => (char === '-' ? '\\-' : char));
  try {
    return new RegExp(translated, `${flags}${options.replaceAll('U', '')}u`);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.replace(/^Invalid regular expression: /, '') : '';
    throw new TbuildError('BAKE_FILE', `Invalid regular expression ${JSON.stringify(pattern)}: ${reason}`, { cause });
  }
}

const CLASSES: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  digit: '0-9',
  lower: 'a-z',
  punct: '!-\\/:-@\\[-`\\{-~',
  space: '\\s',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};
