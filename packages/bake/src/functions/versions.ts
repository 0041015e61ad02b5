import { TbuildError } from '@tbuild/errors';
import { fn, type BakeFunction } from './function.ts';

interface Version {
  readonly numbers: readonly [number, number, number];
  readonly pre: readonly string[];
}

function parseVersion(text: string): Version {
  const match = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([\w.-]+))?(?:\+[\w.-]+)?$/.exec(text);
  if (match === null) throw new TbuildError('BAKE_FILE', `invalid semantic version ${JSON.stringify(text)}`);
  const [, major = '0', minor = '0', patch = '0', pre] = match;
  return { numbers: [Number(major), Number(minor), Number(patch)], pre: pre?.split('.') ?? [] };
}

function compare(a: Version, b: Version): number {
  for (const [at, number] of a.numbers.entries()) {
    const difference = number - (b.numbers[at] ?? 0);
    if (difference !== 0) return difference;
  }
  if (a.pre.length === 0 || b.pre.length === 0) return b.pre.length - a.pre.length;
  for (const [at, part] of a.pre.entries()) {
    const difference = comparePart(part, b.pre[at]);
    if (difference !== 0) return difference;
  }
  return a.pre.length - b.pre.length;
}

function comparePart(a: string, b: string | undefined): number {
  if (b === undefined) return 1;
  const [left, right] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (left && right) return Number(a) - Number(b);
  if (left !== right) return left ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

type Check = (version: Version) => boolean;

/** Returns the checks of one word of a constraint such as `>=1.2`, `^1.2`, `~1.2.3` or `1.x`. */
function checkOf(word: string): Check {
  const match = /^(=|==|!=|>|<|>=|=>|<=|=<|~|~>|\^)?\s*v?([\dxX*]+(?:\.[\dxX*]+){0,2}(?:-[\w.-]+)?)$/.exec(word);
  if (match === null) throw new TbuildError('BAKE_FILE', `invalid version constraint ${JSON.stringify(word)}`);
  const [, operator = '=', text = ''] = match;
  const given = (text.split('-')[0] ?? '').split('.').filter((part) => /^\d+$/.test(part)).length;
  const wanted = parseVersion(text.replace(/(?:^|\.)[xX*].*$/, '') || '0');
  const from: Check = (version) => compare(version, wanted) >= 0;
  const below = (level: number): Check => {
    const numbers = wanted.numbers.map((number, at) => (at < level ? number : at === level ? number + 1 : 0));
    const [major = 0, minor = 0, patch = 0] = numbers;
    return (version) => compare(version, { numbers: [major, minor, patch], pre: ['0'] }) < 0;
  };
  const both = (level: number): Check => (level < 0 ? () => true : (version) => from(version) && below(level)(version));
  const firstNonZero = wanted.numbers.findIndex((number) => number > 0);
  const checks: Record<string, Check> = {
    '=': given < 3 ? both(given - 1) : (version) => compare(version, wanted) === 0,
    '!=': (version) => compare(version, wanted) !== 0,
    '>': (version) => compare(version, wanted) > 0,
    '<': (version) => compare(version, wanted) < 0,
    '>=': from,
    '<=': (version) => compare(version, wanted) <= 0,
    '~': both(Math.min(1, given - 1)),
    '^': both(firstNonZero < 0 ? Math.max(0, given - 1) : Math.min(firstNonZero, given - 1)),
  };
  const canonical = { '==': '=', '=>': '>=', '=<': '<=', '~>': '~' }[operator] ?? operator;
  const check = checks[canonical] ?? (() => false);
  // A candidate is none of the versions that a constraint without one means.
  return (version) => (version.pre.length === 0 || wanted.pre.length > 0) && check(version);
}

/** Alternatives are separated by `||`, conditions of one by commas or blanks. */
function satisfies(text: string, constraint: string): boolean {
  const version = parseVersion(text);
  return constraint.split('||').some((alternative) => {
    const words = alternative
      .replace(/([=<>!~^])\s+/g, '$1')
      .split(/[\s,]+/)
      .filter((word) => word !== '');
    return words.every((word) => checkOf(word)(version));
  });
}

/** The function of versions. */
export const versionFunctions: Readonly<Record<string, BakeFunction>> = {
  semvercmp: fn(['string', 'string'], satisfies),
};
