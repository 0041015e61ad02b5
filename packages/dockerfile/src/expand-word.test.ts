import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { describe, expect, test } from 'vitest';
import { cpuTime } from '../../../test/support/cpu-time.ts';
import { expandWord, expandWords, type ExpandOptions, type Lookup } from './expand-word.ts';

const folder = join(import.meta.dirname, '../../../fixtures/words');

const tables: [file: string, expand: (word: string, lookup: Lookup) => string][] = [
  ['expand.txt', (word, lookup) => expandWord(word, lookup)],
  ['backtick.txt', withOptions({ escape: '`' })],
  ['body.txt', withOptions({ quotes: false })],
  ['split.txt', (word, lookup) => JSON.stringify(expandWords(word, lookup)).replaceAll('","', '", "')],
  ['shown.txt', withOptions({ keepQuotes: true, keepEscapes: true, keepUnset: true })],
];

describe.each(tables)('fixtures/words/%s', (file, expand) => {
  const { variables, lines } = readTable(join(folder, file));
  test.each(lines)('%s', (input, expected) => {
    expect(outcomeOf(() => expand(input, (name) => variables.get(name)), input)).toBe(expected);
  });
});

test('each use of an unset variable is reported', () => {
  const unset: string[] = [];
  expandWord('$a ${b} ${c:-x} ${d:-$e} $f "$a" \'$g\' \\$h', (name) => (name === 'f' ? '' : undefined), {
    onUnset: (name) => unset.push(name),
  });
  expect(unset).toEqual(['a', 'b', 'c', 'e', 'd', 'a']);
});

test('wildcards of a substitution stop at line breaks', () => {
  expect(expandWord('${x#*b}', () => 'a\nb')).toBe('a\nb');
  expect(expandWord('${x##*}', () => 'a\nb')).toBe('\nb');
  expect(expandWord('${x//?/-}', () => 'a\nb')).toBe('-\n-');
});

test('hostile patterns and nesting are refused or expanded quickly', () => {
  const value = 'a'.repeat(100_000);
  const spent = cpuTime(() => {
    expect(expandWord('${x##*a*a*a*a*a*b}', () => value)).toBe(value);
    expect(expandWord('${x//a*a*a*b/-}', () => value)).toBe(value);
    expect(() => expandWord('${a:-'.repeat(100_000), () => undefined)).toThrow(/nested too deeply/);
  });
  expect(spent).toBeLessThan(5_000);
});

function withOptions(options: ExpandOptions): (word: string, lookup: Lookup) => string {
  return (word, lookup) => expandWord(word, lookup, options);
}

function outcomeOf(expand: () => string, input: string): string {
  try {
    return expand();
  } catch (error) {
    if (!(error instanceof TbuildError) || error.code !== 'DOCKERFILE_SEMANTICS') throw error;
    return error.message.replace(`Failed to process ${JSON.stringify(input)}: `, 'error: ');
  }
}

function readTable(path: string): { variables: Map<string, string>; lines: [input: string, expected: string][] } {
  const variables = new Map<string, string>();
  const lines: [string, string][] = [];
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const [, name = '', value = ''] = /^let ([^=]*)=(.*)$/.exec(line) ?? [];
    const bar = line.lastIndexOf(' | ');
    if (name !== '') variables.set(name, value);
    else if (bar > 0 && !line.startsWith('#')) lines.push([line.slice(0, bar), line.slice(bar + 3)]);
  }
  return { variables, lines };
}
