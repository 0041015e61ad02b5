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
 * host's local resolver. In any other network, nameservers on loopback addresses are dropped.
 */
export function resolvConf(
  host: string,
  options: { readonly sharesNetwork: boolean; readonly nameserver?: string },
): string {
  const lines = host
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^[#;]/.test(line));
  if (options.nameserver !== undefined) {
    const others = lines.filter((line) => !line.startsWith('nameserver'));
    return [...others, `nameserver ${options.nameserver}`].map((line) => `${line}\n`).join('');
  }
  const kept = options.sharesNetwork ? lines : lines.filter((line) => !isLoopbackNameserver(line));
  const missing = kept.some((line) => line.startsWith('nameserver'))
    ? []
    : PUBLIC_NAMESERVERS.map((address) => `nameserver ${address}`);
  return [...kept, ...missing].map((line) => `${line}\n`).join('');
}

function isLoopbackNameserver(line: string): boolean {
  return /^nameserver\s+(127\.|::1(\s|$))/.test(line);
}
