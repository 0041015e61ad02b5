import { BlockList, isIP } from 'node:net';

/** Whether an address is in the range that a text such as `10.0.0.0/8` or `fd00::/8` names; undefined when it names none. */
export function parseAddressRange(text: string): ((address: string) => boolean) | undefined {
  const [, address = '', prefix = ''] = /^\[?([0-9A-Fa-f.:]+)\]?\/(\d{1,3})$/.exec(text) ?? [];
  const family = isIP(address);
  if (family === 0 || Number(prefix) > (family === 4 ? 32 : 128)) return undefined;
  const ranges = new BlockList();
  ranges.addSubnet(address, Number(prefix), family === 4 ? 'ipv4' : 'ipv6');
  return (other) => isIP(other) !== 0 && ranges.check(other, isIP(other) === 4 ? 'ipv4' : 'ipv6');
}
