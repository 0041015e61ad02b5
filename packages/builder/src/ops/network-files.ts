import { hostsFile, resolvConf, type ExtraHost, type SandboxMount } from '@tbuild/executor';
import type { RunOp } from '@tbuild/graph';
import type { OpEnvironment } from './op-environment.ts';
import type { StepFiles } from './step-files.ts';

/** /etc/hosts and /etc/resolv.conf of a step; what it writes there vanishes with it. */
export function networkFiles(
  files: StepFiles,
  { worker, extraHosts, hostname, network }: NetworkOptions,
): readonly SandboxMount[] {
  const bind = (target: string, content: string): SandboxMount => ({
    type: 'bind',
    source: files.write('file', content, { mode: 0o644 }),
    target,
    readonly: false,
  });
  return [
    bind('/etc/resolv.conf', resolvConf(worker.resolvConf(), { sharesNetwork: network !== 'none' })),
    bind('/etc/hosts', hostsFile({ hostname, extraHosts: extraHosts.map(parseHost) })),
  ];
}

export type NetworkOptions = Pick<OpEnvironment, 'worker' | 'extraHosts'> & Pick<RunOp, 'hostname' | 'network'>;

/** `name:address` or `name=address`; an IPv6 address may stand in brackets, `host-gateway` is this machine. */
export function parseHost(text: string): ExtraHost {
  const at = text.search(text.includes('=') ? /=/ : /:/);
  const address = text.slice(at + 1).replace(/^\[(.*)\]$/, '$1');
  // A step shares the machine's network, so that the machine is where the step is.
  return { host: text.slice(0, at), ip: address === 'host-gateway' ? '127.0.0.1' : address };
}
