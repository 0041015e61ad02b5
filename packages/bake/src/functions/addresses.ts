import { isIPv4, isIPv6 } from 'node:net';
import { TbuildError } from '@tbuild/errors';
import type { Num } from '../value/number.ts';
import { list, type Value } from '../value/value.ts';
import { fn, toIndex, variadic, type BakeFunction } from './function.ts';

/** A network: an address as a number, the length of its prefix, and of its addresses. */
interface Network {
  readonly address: bigint;
  readonly prefix: number;
  readonly bits: 32 | 128;
}

function parseNetwork(text: string): Network {
  const [address = '', prefix = ''] = text.split('/');
  const bits = isIPv4(address) ? 32 : 128;
  const length = Number(prefix);
  if ((bits === 128 && !isIPv6(address)) || !/^\d+$/.test(prefix) || length > bits)
    throw new TbuildError('BAKE_FILE', `invalid CIDR expression ${JSON.stringify(text)}`);
  const host = BigInt(bits - length);
  return { address: (addressNumber(address, bits) >> host) << host, prefix: length, bits };
}

function addressNumber(text: string, bits: 32 | 128): bigint {
  if (bits === 32) return text.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
  const plain = text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [head = '', tail] = plain.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const [front, back] = [groups(head), groups(tail ?? '')];
  const zeros = tail === undefined ? 0 : 8 - front.length - back.length;
  const all = [...front, ...Array.from({ length: zeros }, () => '0'), ...back];
  return all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}

function formatAddress(address: bigint, bits: 32 | 128): string {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 255n).join('.');
  const groups = Array.from({ length: 8 }, (_, at) => ((address >> BigInt(112 - 16 * at)) & 0xffffn).toString(16));
  const runs = [...groups.join(':').matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].map(([run]) => run);
  const longest = runs.toSorted((a, b) => b.length - a.length)[0];
  return longest === undefined ? groups.join(':') : groups.join(':').replace(longest, '::').replace(':::', '::');
}

function subnet(network: Network, newBits: number, number: bigint): string {
  const prefix = network.prefix + newBits;
  if (newBits < 0 || prefix > network.bits)
    throw new TbuildError('BAKE_FILE', `insufficient address space to extend the prefix by ${newBits}`);
  if (number < 0n || number >= 1n << BigInt(newBits))
    throw new TbuildError('BAKE_FILE', `${newBits} bits cannot hold the network number ${number}`);
  const address = network.address | (number << BigInt(network.bits - prefix));
  return `${formatAddress(address, network.bits)}/${prefix}`;
}

function host(text: string, number: Num): string {
  const { address, prefix, bits } = parseNetwork(text);
  const size = 1n << BigInt(bits - prefix);
  const wanted = BigInt(toIndex(number, 'The host number'));
  const at = wanted < 0n ? size + wanted : wanted;
  if (at < 0n || at >= size) throw new TbuildError('BAKE_FILE', `the network has no host number ${wanted}`);
  return formatAddress(address | at, bits);
}

/** Gives networks one after the other, each at the next place that it fits. */
function subnets(text: string, newBits: readonly Num[]): Value {
  const network = parseNetwork(text);
  let next = network.address;
  const end = network.address + (1n << BigInt(network.bits - network.prefix));
  const all = newBits.map((bits) => {
    const prefix = network.prefix + toIndex(bits, 'The number of bits');
    if (prefix > network.bits || prefix <= network.prefix)
      throw new TbuildError('BAKE_FILE', 'invalid number of bits for a network');
    const size = 1n << BigInt(network.bits - prefix);
    const start = ((next + size - 1n) / size) * size;
    next = start + size;
    if (next > end) throw new TbuildError('BAKE_FILE', 'not enough addresses for these networks');
    return `${formatAddress(start, network.bits)}/${prefix}`;
  });
  return list(all);
}

/** Whether a network contains an address or another network. */
function contains(text: string, other: string): boolean {
  const network = parseNetwork(text);
  const bits = isIPv4(other.split('/')[0] ?? '') ? 32 : 128;
  const inner = parseNetwork(other.includes('/') ? other : `${other}/${bits}`);
  const host = BigInt(network.bits - network.prefix);
  return (
    inner.bits === network.bits && inner.prefix >= network.prefix && inner.address >> host === network.address >> host
  );
}

function netmask(text: string): string {
  const { prefix, bits } = parseNetwork(text);
  const all = (1n << BigInt(bits)) - 1n;
  return formatAddress((all << BigInt(bits - prefix)) & all, bits);
}

/** The functions of IP networks. */
export const addressFunctions: Readonly<Record<string, BakeFunction>> = {
  cidrcontains: fn(['string', 'string'], contains),
  cidrhost: fn(['string', 'number'], host),
  cidrnetmask: fn(['string'], netmask),
  cidrsubnet: fn(['string', 'number', 'number'], (network, bits, number) =>
    subnet(parseNetwork(network), toIndex(bits), BigInt(toIndex(number))),
  ),
  cidrsubnets: variadic(['string'], 'number', (bits, network) => subnets(network, bits)),
};
