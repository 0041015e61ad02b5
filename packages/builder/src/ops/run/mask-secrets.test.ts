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
  ['no secret', ['nothing\n', 'here\n'], 'nothing\nhere\n'],
  ['one', ['a s3cret-token b\n'], 'a *** b\n'],
  ['twice without a gap', ['s3cret-tokens3cret-token'], '******'],
  ['divided', ['x s3c', 'ret-', 'token y'], 'x *** y'],
  ['byte by byte', [...'<s3cret-token>'], '<***>'],
  ['a beginning that is none', ['s3cret-', 'tools\n'], 's3cret-tools\n'],
  ['a beginning at the end', ['s3cret-'], 's3cret-'],
  ['a beginning inside a beginning', ['s3cs3cret-', 'token'], 's3c***'],
  ['all lines', ['-----BEGIN\nfirst-line-of-key\nsecond-', 'line-of-key\n-----END\n'], '***\n'],
  ['one line of several', ['> second-line-of-key\n'], '> ***\n'],
  ['one line at the end, where more might have come', ['-----BEGIN\nfirst-line-of-key'], '***\n***'],
];

test.each(cases)('%s', (_, pieces, expected) => {
  expect(masked(...pieces)).toBe(expected);
});

describe('at any place of a division', () => {
  const text = 'log s3cret-token and\nfirst-line-of-key\nend s3cret-token';
  test('the whole is the same', () => {
    const expected = maskText(text, secrets);
    expect(expected).toBe('log *** and\n***\nend ***');
    for (let at = 0; at <= text.length; at++) expect(masked(text.slice(0, at), text.slice(at))).toBe(expected);
  });
});

test('nothing is held back when no secret begins', () => {
  const mask = createSecretMask(secrets);
  expect(Buffer.from(mask.write(Buffer.from('progress 10%'))).toString()).toBe('progress 10%');
});

test('empty secrets mask nothing', () => {
  expect(maskText('a b\n', [Buffer.from(''), Buffer.from('\n')])).toBe('a b\n');
});
