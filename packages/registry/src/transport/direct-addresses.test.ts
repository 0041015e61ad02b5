import { expect, test } from 'vitest';
import { directAddresses } from './direct-addresses.ts';

test.each([
  ['10.0.0.0/8', '10.1.2.3', true],
  ['10.0.0.0/8', '11.1.2.3', false],
  ['a.example,192.168.7.0/24', '192.168.7.9', true],
  ['fd00::/8', '[fd12::1]', true],
  ['fd00::/8', '[fe80::1]', false],
  ['10.0.0.0/8', 'ten.example', false],
  ['10.0.0.0/99', '10.0.0.1', false],
  ['10.0.0.1', '10.0.0.1', false],
  [undefined, '10.0.0.1', false],
])('%s and %s: %s', (none, host, expected) => expect(directAddresses(none)(host)).toBe(expected));
