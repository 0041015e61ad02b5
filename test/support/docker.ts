import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, startDaemon } from './daemon.ts';
import { runChecked, runProcess, type ProcessOptions } from './run-process.ts';
import { scratchDirectory } from './scratch.ts';

export interface Docker extends AsyncDisposable {
  /** `unix:///…`, or `tcp://…` with TLS, for `DOCKER_HOST`. */
  readonly host: string;
}

export interface DockerOptions {
  /** Keep images in containerd's store, which images for several platforms need. */
  readonly hasContainerdStore?: boolean;
  /** A directory with `ca.pem`, `cert.pem` and `key.pem`: listen on TCP, and let in only clients with such keys. */
  readonly tls?: string;
}

/** Starts dockerd with its embedded BuildKit, with its own state and mount namespace; needs root. */
export async function startDocker(
  directory: string = scratchDirectory('docker'),
  { hasContainerdStore = false, tls }: DockerOptions = {},
): Promise<Docker> {
  const host = tls === undefined ? `unix://${join(directory, 'docker.sock')}` : `tcp://127.0.0.1:${await freePort()}`;
  const keys = (name: string): string => join(tls ?? '', `${name}.pem`);
  const guard = ['--tlsverify', '--tlscacert', keys('ca'), '--tlscert', keys('cert'), '--tlskey', keys('key')];
  const secured = tls === undefined ? [] : guard;
  const options = ['--iptables=false', '--ip6tables=false', '--ip-masq=false', '--ip-forward=false'];
  const state = ['--data-root', join(directory, 'data'), '--exec-root', join(directory, 'exec')];
  const config = join(directory, 'daemon.json');
  writeFileSync(config, JSON.stringify({ features: { 'containerd-snapshotter': hasContainerdStore } }));
  const driver = ['--config-file', config, ...(hasContainerdStore ? [] : ['--storage-driver', 'overlay2'])];
  const places = ['--host', host, '--pidfile', join(directory, 'pid'), ...state];
  const daemon = await startDaemon({
    program: 'unshare',
    args: ['--mount', '--propagation', 'private', 'dockerd', ...driver, ...places, ...secured, ...options],
    logFile: join(directory, 'log'),
    isReady: async () => (await runProcess('docker', ['--host', host, ...secured, 'version'])).exitCode === 0,
  });
  return { host, [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose]() };
}

/** Runs the docker client against a daemon and returns the output; throws when the client fails. */
export function docker(host: string, args: readonly string[], options: ProcessOptions = {}): Promise<string> {
  return runChecked('docker', args, { ...options, env: { DOCKER_HOST: host, ...options.env } });
}
