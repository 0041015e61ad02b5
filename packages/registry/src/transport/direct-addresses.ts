import { BlockList, isIP } from 'node:net';

/** Whether a host is in one of the address ranges (`10.0.0.0/8`, `fd00::/8`) that NO_PROXY names; names are never. */
export function directAddresses(none = ''): (hostname: string) => boolean {
  const ranges = new BlockList();
  for (const text of none.split(/[\s,]+/)) {
    const [, address = '', prefix = ''] = /^\[?([0-9A-Fa-f.:]+)\]?\/(\d{1,3})$/.exec(text) ?? [];
    const family = isIP(address);
    if (family !== 0 && Number(prefix) <= (family === 4 ? 32 : 128))
      ranges.addSubnet(address, Number(prefix), family === 4 ? 'ipv4' : 'ipv6');
  }
  return (hostname) => {
    const bare = hostname.replace(/^\[|\]$/g, '');
    const family = isIP(bare);
    return family !== 0 && ranges.check(bare, family === 4 ? 'ipv4' : 'ipv6');
  };
}
