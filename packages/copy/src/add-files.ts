import { runCooperatively } from '@tbuild/concurrency';
import { type SelectedSource, typeOf } from '@tbuild/context';
import { isArchive, unpackArchive, type UnpackOptions } from '@tbuild/diff';
import type { ReadableTreeWriter } from '@tbuild/snapshot';
import { attributeRules } from './copied-attributes.ts';
import { copySource } from './copy-files.ts';
import type { CopyOptions, CopyTarget } from './copy-options.ts';
import { placeDirectory } from './destination.ts';
import { checkKeyedFile } from './keyed-file.ts';

/** How ADD copies. */
interface AddedCopy {
  readonly target: CopyTarget;
  readonly options: CopyOptions & Pick<UnpackOptions, 'limits' | 'signal' | 'onSkippedDevice'>;
}

/**
 * Copies a selection as ADD does: unpacks archives into the destination, which is then a directory, and copies other
 * files as COPY does. A mode applies to neither the members of archives nor the directories made for them. Does not
 * finish the writer.
 *
 * @throws TbuildError as {@link copyFiles} and `unpackArchive`.
 */
export async function addFiles(
  selection: readonly SelectedSource[],
  writer: ReadableTreeWriter,
  { target, options }: AddedCopy,
): Promise<void> {
  const rules = attributeRules(target, options);
  for (const source of selection) {
    const { entry } = source;
    if (typeOf(entry.stats) === 'file' && (await isArchive(entry.location))) {
      const destination = placeDirectory(writer, target.destination, { ...rules.implied, mode: 0o755 });
      const { owner, now, limits, signal, onSkippedDevice } = options;
      await unpackArchive(entry.location, { writer, destination, owner, now, limits, signal, onSkippedDevice });
      checkKeyedFile(entry, options.hasher);
    } else await runCooperatively(copySource(source, writer, { target, options, rules }), options.signal);
  }
}
