import { runCooperatively } from '@tbuild/concurrency';
import { decompressAny } from './decompress.ts';
import type { TarEntry, TarType } from './tar/tar-entry.ts';
import { TarParser, type MemberSink, type OnMember } from './tar/tar-parser.ts';
import type { UnpackGuard } from './unpack-guard.ts';

export type { MemberSink } from './tar/tar-parser.ts';

/** A member of an archive, without its bytes. */
export interface ArchiveMember {
  /** The name as the archive spells it. */
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'link' | 'special';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly linkName: string;
  readonly mtimeMs: number;
  /** The type by its letter in the format, which tells devices and pipes apart. */
  readonly tarType: TarType;
  readonly major: number;
  readonly minor: number;
  readonly xattrs?: ReadonlyMap<string, Uint8Array>;
}

/**
 * Reads an archive from another tool, compressed or not, member by member. The returned sink takes the bytes of a
 * file; without one they are skipped.
 * @throws TbuildError SNAPSHOT if it is not an archive.
 */
export async function readArchive(
  bytes: AsyncIterable<Uint8Array>,
  onMember: (member: ArchiveMember) => MemberSink | undefined,
  options: ReadOptions = {},
): Promise<void> {
  const decompressed = await decompressAny(bytes);
  const onEntry = (entry: TarEntry): MemberSink | undefined =>
    onMember({ ...entry, type: TYPES[entry.type], tarType: entry.type });
  await readEntries(decompressed.bytes, onEntry, options);
}

export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** Counts what the archive takes. */
  readonly guard?: UnpackGuard;
}

/**
 * Reads a decompressed archive, entry by entry, as {@link readArchive} does.
 * @throws TbuildError SNAPSHOT if it is not an archive.
 */
export async function readEntries(
  bytes: AsyncIterable<Uint8Array>,
  onEntry: OnMember,
  { signal, guard }: ReadOptions,
): Promise<void> {
  const parser = new TarParser((entry) => {
    guard?.addEntry();
    return onEntry(entry);
  });
  try {
    for await (const chunk of bytes) {
      signal?.throwIfAborted();
      guard?.addBytes(chunk.length);
      await runCooperatively(parser.parse(chunk), signal);
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
