import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChecked, type ProcessOptions } from './run-process.ts';
import { scratchDirectory } from './scratch.ts';

/** Podman and Buildah over one private image storage. */
export interface ContainersTools {
  /** The environment that selects that storage. */
  readonly env: Readonly<Record<string, string>>;
  podman(args: readonly string[], options?: ProcessOptions): Promise<string>;
  buildah(args: readonly string[], options?: ProcessOptions): Promise<string>;
}

/** Sets Podman and Buildah up so that they run in a virtual machine or container without systemd; needs root. */
export function containersTools(directory: string = scratchDirectory('containers')): ContainersTools {
  const files = { conf: join(directory, 'containers.conf'), storage: join(directory, 'storage.conf') };
  writeFileSync(files.conf, containersConf());
  writeFileSync(files.storage, storageConf(directory));
  const env = {
    CONTAINERS_CONF: files.conf,
    CONTAINERS_STORAGE_CONF: files.storage,
    PODMAN_IGNORE_CGROUPSV1_WARNING: '1',
    TMPDIR: '/var/tmp',
  };
  const tool =
    (program: string) =>
    (args: readonly string[], options: ProcessOptions = {}) =>
      runChecked(program, args, { ...options, env: { ...env, ...options.env } });
  return { env, podman: tool('podman'), buildah: tool('buildah') };
}

/** Runs skopeo and returns its output; throws when it fails. */
export function skopeo(args: readonly string[], options: ProcessOptions = {}): Promise<string> {
  return runChecked('skopeo', args, options);
}

/** crun refuses hybrid cgroups, and the tools ask for more files and processes than a container may have. */
function containersConf(): string {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const hard = (name: string) => new RegExp(`^${name} +\\S+ +(\\d+)`, 'm').exec(limits)?.[1] ?? '65536';
  const files = hard('Max open files');
  const processes = hard('Max processes');
  return `[containers]
default_ulimits = ["nofile=${files}:${files}", "nproc=${processes}:${processes}"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
runtime = "runc"
`;
}

function storageConf(directory: string): string {
  return `[storage]
driver = "overlay"
graphroot = "${join(directory, 'root')}"
runroot = "${join(directory, 'run')}"
`;
}
