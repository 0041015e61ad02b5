export interface ExtraHost {
  readonly host: string;
  readonly ip: string;
}

/** What a step finds in /etc/hosts. */
export function hostsFile(options: { readonly hostname: string; readonly extraHosts?: readonly ExtraHost[] }): string {
  const lines = [
    `127.0.0.1\tlocalhost ${options.hostname}`,
    '::1\tlocalhost ip6-localhost ip6-loopback',
    ...(options.extraHosts ?? []).map(({ host, ip }) => `${ip}\t${host}`),
  ];
  return `${lines.join('\n')}\n`;
}
