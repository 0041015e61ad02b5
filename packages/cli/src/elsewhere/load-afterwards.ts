import { join } from 'node:path';

/**
 * Replaces `--load` by an archive in a directory: the container reaches no engine, but the one that runs it can load the
 * archive afterwards.
 */
export function loadedAfterwards(
  argv: readonly string[],
  directory: string,
): { readonly argv: readonly string[]; readonly archive?: string } {
  const at = argv.findIndex((word) => word === '--load' || word === '--load=true');
  if (at < 0) return { argv };
  const archive = join(directory, 'image.tar');
  return { argv: [...argv.slice(0, at), '--output', `type=docker,dest=${archive}`, ...argv.slice(at + 1)], archive };
}
