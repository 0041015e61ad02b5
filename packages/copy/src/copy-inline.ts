import type { InlineFile } from '@tbuild/graph';
import { impliedAttributes } from './copied-attributes.ts';
import type { CopyTarget, PlacementOptions } from './copy-options.ts';
import { checkReplaceable, placeFile, type Destination } from './destination.ts';
import { compileModeChange } from './mode-change.ts';

/** Writes the heredocs of COPY and ADD as new files of mode 0644 at the destination. Does not finish the writer. */
export function copyInline(
  files: readonly InlineFile[],
  writer: Destination,
  { target, options }: { readonly target: CopyTarget; readonly options: PlacementOptions },
): void {
  const implied = impliedAttributes(target, options);
  const mode = compileModeChange(target.chmod)(0o100644);
  for (const { name, content } of files) {
    const path = placeFile(writer, { destination: target.destination, name }, implied);
    checkReplaceable(writer, path);
    const attributes = { mode, uid: 0, gid: 0, ...options.owner, mtimeMs: options.now };
    writer.file(path, attributes, { bytes: Buffer.from(content) });
  }
}
