import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { runChecked } from './run-process.ts';
import { sharedService } from './services.ts';

export type BaseImageName =
  | 'busybox'
  | 'debian'
  | 'debian-arm64'
  | 'debian-build'
  | 'debian-cross'
  | 'debian-python'
  | 'node';

const script = join(import.meta.dirname, '../../fixtures/images/make.sh');
const layouts = new Map<BaseImageName, string>();

/** Returns the directory of a base image's OCI layout (tagged `latest`), and creates it when it is missing. */
export function baseImage(name: BaseImageName): string {
  const known = layouts.get(name);
  if (known !== undefined) return known;
  const directory = execFileSync(script, [name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
  layouts.set(name, directory);
  return directory;
}

/** Returns arguments that let a Dockerfile say `FROM NAME` for base images without a registry. */
export function baseImageArguments(names: readonly BaseImageName[] = ['busybox']): string[] {
  return names.flatMap((name) => ['--build-context', `${name}=oci-layout://${baseImage(name)}`]);
}

/** Pushes all platforms of a base image to a registry; returns its reference there. */
export async function pushBaseImage(name: BaseImageName, host: string, credentials?: string): Promise<string> {
  const reference = `${host}/${name}:latest`;
  const access = ['--dest-tls-verify=false', ...(credentials ? ['--dest-creds', credentials] : [])];
  await runChecked('skopeo', [
    'copy',
    '--quiet',
    '--all',
    ...access,
    `oci:${baseImage(name)}:latest`,
    `docker://${reference}`,
  ]);
  return reference;
}

/** Loads a base image into the shared Docker daemon under its own name. */
export async function loadBaseImage(name: BaseImageName, host?: string): Promise<void> {
  const daemon = host ?? (await sharedService('docker'));
  const target = ['--dest-daemon-host', daemon, `docker-daemon:${name}:latest`];
  await runChecked('skopeo', ['copy', '--quiet', `oci:${baseImage(name)}:latest`, ...target]);
}
