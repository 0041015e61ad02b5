import { describe, expect, test } from 'vitest';
import { createSecretMask, maskText } from './mask-secrets.ts';

const secrets = [
  Buffer.from('s3cret-token\n'),
  Buffer.from('-----BEGIN\nfirst-line-of-key\nsecond-line-of-key\n-----END\n'),
];

function masked(...pieces: readonly string[]): string {
  const mask = createSecretMask(secrets);
  const shown = pieces.map((piece) => Buffer.from(mask.write(Buffer.from(piece))).toString());
  return [...shown, Buffer.from(mask.end()).toString()].join('');
}

const cases: readonly [name: string, pieces: readonly string[], expected: string][] = [
  ['without a secret', ['nothing\n', 'here\n'], 'nothing\nhere\n'],
  ['with one secret', ['a s3cret-token b\n'], 'a *** b\n'],
  ['with a secret twice in a row', ['s3cret-tokens3cret-token'], '******'],
  ['with a secret split over chunks', ['x s3c', 'ret-', 'token y'], 'x *** y'],
  ['in single bytes', [...'<s3cret-token>'], '<***>'],
  ['with the start of a secret only', ['s3cret-', 'tools\n'], 's3cret-tools\n'],
  ['ending with the start of a secret', ['s3cret-'], 's3cret-'],
  ['with a secret inside the start of another', ['s3cs3cret-', 'token'], 's3c***'],
  ['with all lines of a secret', ['-----BEGIN\nfirst-line-of-key\nsecond-', 'line-of-key\n-----END\n'], '***\n'],
  ['with one line of a secret', ['> second-line-of-key\n'], '> ***\n'],
  ['ending with one line of a secret', ['-----BEGIN\nfirst-line-of-key'], '***\n***'],
];

test.each(cases)('The secret mask handles output %s', (_, pieces, expected) => {
  expect(masked(...pieces)).toBe(expected);
});

describe('Split at any position, the secret mask', () => {
  const text = 'log s3cret-token and\nfirst-line-of-key\nend s3cret-token';
  test('gives the same output', () => {
    const expected = maskText(text, secrets);
    expect(expected).toBe('log *** and\n***\nend ***');
    for (let at = 0; at <= text.length; at++) expect(masked(text.slice(0, at), text.slice(at))).toBe(expected);
  });
});

test('The secret mask holds nothing back if no secret starts', () => {
  const mask = createSecretMask(secrets);
  expect(Buffer.from(mask.write(Buffer.from('progress 10%'))).toString()).toBe('progress 10%');
});

test('Empty secrets mask nothing', () => {
  expect(maskText('a b\n', [Buffer.from(''), Buffer.from('\n')])).toBe('a b\n');
});
