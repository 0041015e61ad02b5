import type { Mount } from '@tbuild/snapshot';

/** The shell command that mounts a tree, or ends the set-up. */
export function mountCommand({ mount, target }: { readonly mount: Mount; readonly target: string }): string {
  const { type, source, options, directory } = mount;
  if (type === 'bind') return `mount --bind ${quote(source)} ${quote(target)} || exit 125`;
  return `cd ${quote(directory)} && LIBMOUNT_FORCE_MOUNT2=always mount -n -t overlay -o ${quote(options.join(','))} overlay ${quote(target)} || exit 125`;
}

/** Text as one word of a shell. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
