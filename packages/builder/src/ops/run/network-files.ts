import {
  gatewayAddress,
  hostsFile,
  resolvConf as stepResolvConf,
  type ExtraHost,
  type Sandbox,
  type SandboxMount,
} from '@tbuild/executor';
import type { BuildRequest } from '../../request.ts';
import type { StepFiles } from './step-files.ts';

/** What the network of a step needs to know. */
export interface NetworkOptions extends Pick<BuildRequest, 'extraHosts'>, Pick<Sandbox, 'hostname' | 'network'> {
  /** Returns the machine's /etc/resolv.conf. */
  resolvConf(): string;
}

/**
 * Returns the mounts of /etc/hosts and /etc/resolv.conf, read-only as in BuildKit. Where nothing can be mounted, writes
 * to them are lost.
 */
export function networkFiles(
  files: StepFiles,
  { resolvConf, extraHosts, hostname, network }: NetworkOptions,
): readonly SandboxMount[] {
  const kind = typeof network === 'object' ? 'isolated' : network;
  const bind = (target: string, content: string): SandboxMount => ({
    type: 'bind',
    source: files.write('file', content, { mode: 0o644 }),
    target,
    readonly: true,
  });
  return [
    bind('/etc/resolv.conf', stepResolvConf(resolvConf(), kind)),
    bind(
      '/etc/hosts',
      hostsFile({ hostname, extraHosts: extraHosts.map((text) => withAddress(parseHost(text), kind)) }),
    ),
  ];
}

/** Parses `name:address` or `name=address`. An IPv6 address may be in brackets; `host-gateway` is this machine. */
export function parseHost(text: string): ExtraHost {
  const at = text.search(text.includes('=') ? /=/ : /:/);
  return { host: text.slice(0, at), ip: text.slice(at + 1).replace(/^\[(.*)\]$/, '$1') };
}

function withAddress({ host, ip }: ExtraHost, network: Parameters<typeof gatewayAddress>[0]): ExtraHost {
  return { host, ip: ip === 'host-gateway' ? gatewayAddress(network) : ip };
}
