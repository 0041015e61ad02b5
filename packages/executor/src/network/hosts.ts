import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { NAMESERVERS } from './pasta.ts';

export interface ExtraHost {
  readonly host: string;
  readonly ip: string;
}

/** Returns the text of a step's /etc/hosts. */
export function hostsFile(options: { readonly hostname: string; readonly extraHosts?: readonly ExtraHost[] }): string {
  const lines = [
    `127.0.0.1\tlocalhost ${options.hostname}`,
    '::1\tlocalhost ip6-localhost ip6-loopback',
    ...(options.extraHosts ?? []).map(({ host, ip }) => `${ip}\t${host}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** Docker's fallback if there is no other nameserver. */
const PUBLIC_NAMESERVERS = ['8.8.8.8', '8.8.4.4'];

/**
 * Returns the text of a step's /etc/resolv.conf, derived from the host's. A step in the host's network can reach the
 * host's local resolver. Elsewhere nameservers on loopback addresses are dropped; in an isolated network, an address
 * that leads to them replaces them.
 */
export function resolvConf(host: string, network: 'host' | 'none' | 'isolated'): string {
  const lines = host
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^[#;]/.test(line));
  const kept = network === 'host' ? lines : lines.flatMap((line) => reachable(line, network));
  const missing = kept.some((line) => line.startsWith('nameserver'))
    ? []
    : PUBLIC_NAMESERVERS.map((address) => `nameserver ${address}`);
  return [...new Set([...kept, ...missing])].map((line) => `${line}\n`).join('');
}

function reachable(line: string, network: 'none' | 'isolated'): readonly string[] {
  const [, local] = /^nameserver\s+(127\.|::1(?:\s|$))/.exec(line) ?? [];
  if (local === undefined) return [line];
  if (network === 'none') return [];
  return [`nameserver ${local.startsWith('127') ? NAMESERVERS.ipv4 : NAMESERVERS.ipv6}`];
}

/** Returns the address of this machine in a network, by which `host-gateway` reaches it. */
export function gatewayAddress(network: 'host' | 'none' | 'isolated'): string {
  return network === 'isolated' ? (outsideAddress() ?? LOOPBACK) : LOOPBACK;
}

const LOOPBACK = '127.0.0.1';

/** Returns the machine's address on the interface of its default route, else on any. */
function outsideAddress(): string | undefined {
  const interfaces = networkInterfaces();
  const outside = Object.values(interfaces).flatMap((each) => each?.filter(({ internal }) => !internal) ?? []);
  const all = [...(interfaces[defaultInterface()] ?? []), ...outside];
  return (all.find(({ family }) => family === 'IPv4') ?? all.find(({ scopeid }) => !scopeid))?.address;
}

function defaultInterface(): string {
  try {
    const routes = readFileSync('/proc/self/net/route', 'utf8').split('\n');
    return routes.map((line) => line.split('\t')).find(([, destination]) => destination === '00000000')?.[0] ?? '';
  } catch {
    return '';
  }
}
