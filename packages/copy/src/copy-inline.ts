import type { FileTree } from '@tbuild/context';
import type { InlineFile } from '@tbuild/graph';
import type { TreeWriter } from '@tbuild/snapshot';
import { impliedAttributes } from './copied-attributes.ts';
import type { CopyTarget, PlacementOptions } from './copy-options.ts';
import { checkReplaceable, placeFile } from './destination.ts';
import { compileModeChange } from './mode-change.ts';

/** Writes the heredocs of COPY and ADD as files of mode 0644 at the destination. Does not finish the writer. */
export function copyInline(
  files: readonly InlineFile[],
  writer: TreeWriter,
  tree: Pick<FileTree, 'stat'>,
  op: CopyTarget,
  options: PlacementOptions,
): void {
  const implied = impliedAttributes(op, options);
  const mode = compileModeChange(op.chmod)(0o100644);
  for (const { name, content } of files) {
    const path = placeFile({ writer, tree }, op.destination, name, implied);
    checkReplaceable(tree, path);
    const attributes = { mode, uid: 0, gid: 0, ...options.owner, mtimeMs: options.fixedTime ?? options.now };
    writer.file(path, attributes, { bytes: Buffer.from(content) });
  }
}
