import { shellQuoted } from '@tbuild/linux';
import type { Mount } from '@tbuild/snapshot';

export interface TreeMount {
  readonly mount: Mount;
  readonly target: string;
  /** Whether to mount it with `nodev`. */
  readonly needsNodev?: boolean;
}

/** Returns the shell command that mounts a tree, or exits with 125. */
export function mountCommand({ mount, target, needsNodev = false }: TreeMount): string {
  const { type, source, options, directory } = mount;
  const nodev = needsNodev ? ['nodev'] : [];
  if (type === 'bind')
    return `mount -o ${['bind', ...nodev].join(',')} ${shellQuoted(source)} ${shellQuoted(target)} || exit 125`;
  return `cd ${shellQuoted(directory)} && LIBMOUNT_FORCE_MOUNT2=always mount -n -t overlay -o ${shellQuoted([...options, ...nodev].join(','))} overlay ${shellQuoted(target)} || exit 125`;
}
