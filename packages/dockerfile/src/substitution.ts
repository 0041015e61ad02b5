import { parsePattern, replacePattern, trimPrefix, trimSuffix, type ShellPattern } from './shell-pattern.ts';
import { expansionError, lexText, type Lexer } from './word-lexer.ts';

/** Expands the `$…` at the lexer, and moves the lexer past it. */
export function substitute(lexer: Lexer): string {
  lexer.at++;
  if (lexer.source.charAt(lexer.at) !== '{') {
    const name = lexName(lexer);
    return name === '' ? '$' : valueOf(lexer, name, `$${name}`);
  }
  lexer.at++;
  const first = lexer.source.charAt(lexer.at);
  if (first === '') throw missingBrace();
  if (first === '{' || first === '}' || first === ':') throw expansionError('syntax error: bad substitution');
  const name = lexName(lexer);
  const operator = lexOperator(lexer);
  if (operator === '}') return valueOf(lexer, name, `\${${name}}`);
  if (operator === '/') return lexReplacement(lexer, name);
  return lexModifier(lexer, name, operator);
}

const DIGITS = /\p{Nd}+/uy;
const NAME = /[\p{L}\p{Nd}_]+/uy;
const SPECIAL = '@*#?-$!';

/** Reads a number, a special parameter of the shell, or a name of letters, digits and `_`. */
function lexName(lexer: Lexer): string {
  for (const pattern of [DIGITS, NAME]) {
    pattern.lastIndex = lexer.at;
    const match = pattern.exec(lexer.source)?.[0];
    if (match === undefined) continue;
    lexer.at += match.length;
    return match;
  }
  const character = lexer.source.charAt(lexer.at);
  if (character === '' || !SPECIAL.includes(character)) return '';
  lexer.at++;
  return character;
}

/** Reads the text after the name: `}`, a modifier with its colon, or `/`. */
function lexOperator(lexer: Lexer): string {
  const start = lexer.at;
  if (lexer.source.charAt(lexer.at) === ':') lexer.at++;
  const code = lexer.source.codePointAt(lexer.at);
  if (code === undefined) throw missingBrace();
  lexer.at += String.fromCodePoint(code).length;
  return lexer.source.slice(start, lexer.at);
}

function valueOf(lexer: Lexer, name: string, written: string): string {
  const value = lookUp(lexer, name);
  return value ?? (lexer.options.keepUnset === true ? written : '');
}

function lookUp(lexer: Lexer, name: string): string | undefined {
  const value = lexer.options.lookup(name);
  if (value === undefined) lexer.options.onUnset?.(name);
  return value;
}

interface Modifier {
  readonly name: string;
  readonly value: string | undefined;
  readonly word: string;
  /** Whether the value is unset, or empty while the modifier has a colon. */
  readonly absent: boolean;
}

const MODIFIERS: Readonly<Record<string, (modifier: Modifier) => string>> = {
  '-': ({ value = '', word, absent }) => (absent ? word : value),
  '+': ({ word, absent }) => (absent ? '' : word),
  '?': requireValue,
  '#': ({ value = '', word }) => trim(word, value, '#'),
  '%': ({ value = '', word }) => trim(word, value, '%'),
};

function lexModifier(lexer: Lexer, name: string, operator: string): string {
  const colon = operator.startsWith(':');
  const kind = colon ? operator.slice(1) : operator;
  const modify = Object.hasOwn(MODIFIERS, kind) ? MODIFIERS[kind] : undefined;
  const isTrim = kind === '#' || kind === '%';
  if (modify === undefined || (colon && isTrim)) {
    throw expansionError(`unsupported modifier (${operator}) in substitution`);
  }
  const word = lexOperand(lexer, { stop: '}', keepEscapes: isTrim });
  const value = lookUp(lexer, name);
  if (value === undefined && lexer.options.keepUnset === true) return `\${${name}${operator}${word}}`;
  return modify({ name, value, word, absent: value === undefined || (colon && value === '') });
}

function requireValue({ name, value, word, absent }: Modifier): string {
  if (!absent && value !== undefined) return value;
  const fault = value === undefined ? 'unset' : 'empty';
  throw expansionError(`${name}: ${word === '' ? `is not allowed to be ${fault}` : word}`);
}

function trim(word: string, value: string, side: '#' | '%'): string {
  const longest = word.startsWith(side);
  const pattern = toPattern(longest ? word.slice(1) : word);
  return side === '#' ? trimPrefix(pattern, value, longest) : trimSuffix(pattern, value, longest);
}

function lexReplacement(lexer: Lexer, name: string): string {
  const all = lexer.source.charAt(lexer.at) === '/';
  if (all) lexer.at++;
  const pattern = lexOperand(lexer, { stop: '/', keepEscapes: true });
  const replacement = lexOperand(lexer, { stop: '}', keepEscapes: true });
  const value = lookUp(lexer, name);
  if (value === undefined && lexer.options.keepUnset === true) return `\${${name}/${pattern}/${replacement}}`;
  return replacePattern(toPattern(pattern), value ?? '', { replacement, all });
}

function toPattern(text: string): ShellPattern {
  const pattern = parsePattern(text);
  if (!('invalidEscape' in pattern)) return pattern;
  throw expansionError(`invalid pattern (${text}) in substitution: invalid escape '${pattern.invalidEscape}'`);
}

function lexOperand(lexer: Lexer, options: { stop: '}' | '/'; keepEscapes: boolean }): string {
  try {
    return lexText(lexer, options);
  } catch (error) {
    // Whatever is open at the end of the word, the brace is open too.
    if (lexer.at < lexer.source.length) throw error;
    throw options.stop === '}' ? missingBrace() : expansionError("syntax error: missing '/' in ${}");
  }
}

function missingBrace(): Error {
  return expansionError("syntax error: missing '}'");
}
