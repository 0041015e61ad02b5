import { expect, test } from 'vitest';
import { applyPolicy, type PolicyRule, type PolicySelector } from './source-policy.ts';

const about = (identifier: string, matchType: PolicySelector['matchType'] = 'WILDCARD'): PolicySelector => ({
  identifier,
  matchType,
  constraints: [],
});
const deny = (identifier: string): PolicyRule => ({ action: 'DENY', selector: about(identifier) });
const allow = (identifier: string): PolicyRule => ({ action: 'ALLOW', selector: about(identifier) });
const convert = (identifier: string, to: string, matchType?: PolicySelector['matchType']): PolicyRule => ({
  action: 'CONVERT',
  selector: about(identifier, matchType),
  updates: { identifier: to },
});

const BUSYBOX = 'docker-image://docker.io/library/busybox:latest';

test.each<[string, PolicyRule[], string | undefined]>([
  ['nothing', [], BUSYBOX],
  ['a DENY of everything', [deny('*')], undefined],
  ['a DENY of another image', [deny('docker-image://docker.io/library/alpine:*')], BUSYBOX],
  ['a DENY and a later ALLOW', [deny('*'), allow('docker-image://docker.io/*')], BUSYBOX],
  ['an ALLOW and a later DENY', [allow('docker-image://docker.io/*'), deny('*')], undefined],
  [
    'a CONVERT with a wildcard',
    [convert('docker-image://docker.io/library/*:latest', 'docker-image://mirror.example/$1:1')],
    'docker-image://mirror.example/busybox:1',
  ],
  [
    'a CONVERT with a regular expression',
    [convert('^docker-image://docker\\.io/(library)/(.*)$', 'docker-image://x.example/${2}-${1}', 'REGEX')],
    'docker-image://x.example/busybox:latest-library',
  ],
  ['a CONVERT of an exact name', [convert(BUSYBOX, `${BUSYBOX}@sha256:1`, 'EXACT')], `${BUSYBOX}@sha256:1`],
  ['a CONVERT whose result is denied', [convert(BUSYBOX, 'https://x'), deny('https://*')], undefined],
  ['a wildcard that holds a dot', [deny('docker-image://docker?io/*')], undefined],
  ['a pattern with an escaped star', [deny('docker-image://\\*')], BUSYBOX],
])('%s decides about a source', (_, policy, expected) => {
  expect(applyPolicy(policy, { identifier: BUSYBOX, attributes: {} })?.identifier).toBe(expected);
});

test('rules that convert into each other fail', () => {
  const policy = [convert('a', 'b', 'EXACT'), convert('b', 'a', 'EXACT')];
  expect(() => applyPolicy(policy, { identifier: 'a', attributes: {} })).toThrow('"a" is converted without an end');
});

test.each([
  ['EQUAL', 'v', 'v', undefined],
  ['EQUAL', 'v', 'w', 'https://x'],
  ['NOTEQUAL', 'v', 'w', undefined],
  ['MATCHES', '^v+$', 'vvv', undefined],
  ['MATCHES', '^v+$', 'vw', 'https://x'],
] as const)('a DENY with the constraint %s %j on %j gives %j', (condition, value, found, expected) => {
  const selector = { ...about('*'), constraints: [{ key: 'k', value, condition }] };
  const source = { identifier: 'https://x', attributes: { k: found } };
  expect(applyPolicy([{ action: 'DENY', selector }], source)?.identifier).toBe(expected);
});

test('CONVERT adds attributes', () => {
  const policy: PolicyRule[] = [
    { action: 'CONVERT', selector: about('https://*'), updates: { attributes: { 'http.checksum': 'sha256:1' } } },
  ];
  expect(applyPolicy(policy, { identifier: 'https://x', attributes: {} })).toEqual({
    identifier: 'https://x',
    attributes: { 'http.checksum': 'sha256:1' },
  });
});
