import { createHoleWriter } from '@tbuild/linux';
import type { FileBytes } from './tree-writer.ts';

/** Writes the bytes of `source` into an open, empty file, with holes for long runs of zeros. Returns their number. */
export function writeBytes(source: Exclude<FileBytes, { location: string }>, fd: number): number {
  const file = createHoleWriter(fd);
  for (const chunk of 'bytes' in source ? [source.bytes] : source.chunks) file.write(chunk);
  return file.finish();
}
