import { expect, test } from 'vitest';
import { builtInSyntax } from './syntax.ts';

const family = [
  'docker/dockerfile:1',
  'docker/dockerfile',
  'docker.io/docker/dockerfile:1.7-labs',
  'docker/dockerfile-upstream:master',
  `docker/dockerfile:1@sha256:${'0'.repeat(64)}`,
  'mirror.example:5000/docker/dockerfile:1',
];

test.each(family)('the frontend image %s is built in', (image) => {
  expect(builtInSyntax(`# syntax=${image}\nFROM x`, { file: 'Dockerfile', buildArgs: {} })).toBe(image);
  expect(builtInSyntax('FROM x', { file: 'Dockerfile', buildArgs: { BUILDKIT_SYNTAX: image } })).toBe(image);
});

test('a file without a directive names no frontend', () => {
  expect(builtInSyntax('FROM x', { file: 'Dockerfile', buildArgs: {} })).toBeUndefined();
});

test('another frontend is refused with its location', () => {
  const text = '#syntax = example.org/earthly:2 more\nFROM x';
  expect(() => builtInSyntax(text, { file: 'Dockerfile', buildArgs: {} })).toThrow(
    expect.objectContaining({
      code: 'UNSUPPORTED',
      location: { file: 'Dockerfile', start: { line: 1, column: 11 }, end: { line: 1, column: 32 } },
    }),
  );
});

test('BUILDKIT_SYNTAX overrides the file and is checked as well', () => {
  const options = (syntax: string) => ({ file: 'Dockerfile', buildArgs: { BUILDKIT_SYNTAX: syntax } });
  expect(() => builtInSyntax('# syntax=docker/dockerfile:1\nFROM x', options('own/frontend'))).toThrow(
    '"own/frontend"',
  );
  expect(builtInSyntax('# syntax=own/frontend\nFROM x', options('dockerfile.v0'))).toBeUndefined();
});
