import { writeTree } from '@tbuild/diff';
import type { OverlayFlavour } from '@tbuild/snapshot';
import { nameOf, withSink, type Destination } from '../destination.ts';
import type { Exporter } from '../exporter.ts';
import { openParts } from './platform-directory.ts';

export interface TarTreeOptions {
  readonly destination: Destination;
  /** Which attributes mark opaque directories of the snapshots. */
  readonly flavour: OverlayFlavour;
  /** Make a directory for each platform. Defaults to true when there are several. */
  readonly platformSplit?: boolean;
}

/**
 * Writes the files of the image as one archive, with owners and capabilities; those of several platforms below a
 * directory for each, such as `linux_arm64`.
 * @throws TbuildError USAGE when several platforms share the root and their files differ.
 */
export function tarTree({ destination, flavour, platformSplit }: TarTreeOptions): Exporter {
  return {
    name: 'exporting to client tarball',
    async export(result, report, signal) {
      const parts = await openParts(result, { flavour, platformSplit }, signal);
      let count = 0;
      report('sending tarball', 0);
      await withSink(destination, (sink) => {
        const write = (bytes: Uint8Array): void => {
          sink.write(bytes);
          count += bytes.length;
          report('sending tarball', count);
        };
        return writeTree(parts, write, { flavour, latest: result.epoch, signal });
      });
      report('sending tarball', count, count);
      return { destination: nameOf(destination) };
    },
  };
}
