import { decompressAny } from './decompress.ts';
import type { TarType } from './tar/tar-entry.ts';
import { TarParser, type MemberSink } from './tar/tar-parser.ts';

export type { MemberSink } from './tar/tar-parser.ts';

/** One member of an archive, without its bytes. */
export interface ArchiveMember {
  /** As in the archive. */
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'link' | 'special';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly linkName: string;
}

/**
 * Reads an archive of somebody else's, compressed or not, member by member; the sink returned gets the bytes
 * of a file, which else are skipped.
 * @throws TbuildError SNAPSHOT when it is no archive.
 */
export async function readArchive(
  bytes: AsyncIterable<Uint8Array>,
  onMember: (member: ArchiveMember) => MemberSink | undefined,
  signal?: AbortSignal,
): Promise<void> {
  const parser = new TarParser((entry) => onMember({ ...entry, type: TYPES[entry.type] }));
  try {
    for await (const chunk of (await decompressAny(bytes)).bytes) {
      signal?.throwIfAborted();
      parser.push(chunk);
    }
    parser.finish();
  } finally {
    parser.abort();
  }
}

const TYPES: Readonly<Record<TarType, ArchiveMember['type']>> = {
  '0': 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'special',
  '4': 'special',
  '5': 'directory',
  '6': 'special',
};
