import { BlockList, isIP } from 'node:net';

/** Returns whether an address is in a range such as `10.0.0.0/8` or `fd00::/8`; undefined if the text is not a range. */
export function parseAddressRange(text: string): ((address: string) => boolean) | undefined {
  const [, address = '', prefix = ''] = /^\[?([0-9A-Fa-f.:]+)\]?\/(\d{1,3})$/.exec(text) ?? [];
  const family = isIP(address);
  if (family === 0 || Number(prefix) > (family === 4 ? 32 : 128)) return undefined;
  const ranges = new BlockList();
  ranges.addSubnet(address, Number(prefix), family === 4 ? 'ipv4' : 'ipv6');
  return (other) => isIP(other) !== 0 && ranges.check(other, isIP(other) === 4 ? 'ipv4' : 'ipv6');
}
