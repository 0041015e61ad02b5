import { expect, test } from 'vitest';
import { formatPlatform, parsePlatform, selectPlatform, type Platform } from './index.ts';

const host: Platform = { os: 'linux', architecture: 'amd64' };

test.each([
  ['linux/amd64', 'linux/amd64'],
  ['linux/x86_64', 'linux/amd64'],
  ['linux/aarch64', 'linux/arm64'],
  ['linux/arm64/v8', 'linux/arm64'],
  ['linux/arm', 'linux/arm/v7'],
  ['linux/armhf', 'linux/arm/v7'],
  ['linux/armel', 'linux/arm/v6'],
  ['linux/arm/v6', 'linux/arm/v6'],
  ['linux/arm/6', 'linux/arm/v6'],
  ['arm64', 'linux/arm64'],
  ['linux', 'linux/amd64'],
  ['local', 'linux/amd64'],
  ['LINUX/AMD64', 'linux/amd64'],
])('the platform %s is parsed as %s', (text, expected) => {
  expect(formatPlatform(parsePlatform(text, host))).toBe(expected);
});

test.each(['', 'a/b/c/d', 'quux', 'linux/', 'linux/amd 64'])('the platform %j is refused', (text) => {
  expect(() => parsePlatform(text, host)).toThrow(expect.objectContaining({ code: 'USAGE' }));
});

test.each([
  ['linux/arm/v7', 'linux/arm/v7'],
  ['linux/arm/v6', 'linux/arm/v6'],
  ['linux/arm64', 'linux/arm64'],
  ['linux/s390x', undefined],
])('the best variant for %s is %s', (wanted, expected) => {
  const offered = ['linux/amd64', 'linux/arm/v6', 'linux/arm/v7', 'linux/arm64/v8'];
  const chosen = selectPlatform(offered, (text) => parsePlatform(text, host), parsePlatform(wanted, host));
  expect(chosen === undefined ? undefined : formatPlatform(parsePlatform(chosen, host))).toBe(expected);
});
