import {
  hostsFile,
  PASTA_ADDRESSES,
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
  const bind = (target: string, content: string): SandboxMount => ({
    type: 'bind',
    source: files.write('file', content, { mode: 0o644 }),
    target,
    readonly: true,
  });
  return [
    bind('/etc/resolv.conf', stepResolvConf(resolvConf(), resolution(network))),
    bind('/etc/hosts', hostsFile({ hostname, extraHosts: extraHosts.map((text) => parseHost(text, network)) })),
  ];
}

function resolution(network: Sandbox['network']): Parameters<typeof stepResolvConf>[1] {
  if (network === 'pasta') return { sharesNetwork: false, nameserver: PASTA_ADDRESSES.nameserver };
  return { sharesNetwork: network !== 'none' };
}

/** Parses `name:address` or `name=address`. An IPv6 address may be in brackets; `host-gateway` is this machine. */
export function parseHost(text: string, network: Sandbox['network'] = 'default'): ExtraHost {
  const at = text.search(text.includes('=') ? /=/ : /:/);
  const address = text.slice(at + 1).replace(/^\[(.*)\]$/, '$1');
  // With the host's network, this machine is the loopback address.
  const gateway = network === 'pasta' ? PASTA_ADDRESSES.host : '127.0.0.1';
  return { host: text.slice(0, at), ip: address === 'host-gateway' ? gateway : address };
}
