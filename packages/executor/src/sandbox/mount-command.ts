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
  if (type === 'bind') return `mount -o ${['bind', ...nodev].join(',')} ${quote(source)} ${quote(target)} || exit 125`;
  return `cd ${quote(directory)} && LIBMOUNT_FORCE_MOUNT2=always mount -n -t overlay -o ${quote([...options, ...nodev].join(','))} overlay ${quote(target)} || exit 125`;
}

/** Quotes text as one word for a shell. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
