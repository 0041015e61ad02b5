import { writeTree } from '@tbuild/diff';
import type { OverlayFlavour } from '@tbuild/snapshot';
import { nameOf, withSink, type Destination } from './destination.ts';
import { onlyImage } from './encode-export.ts';
import type { Exporter } from './exporter.ts';

export interface TarTreeOptions {
  readonly destination: Destination;
  /** Which attributes the snapshots' opaque directories carry. */
  readonly flavour: OverlayFlavour;
}

/**
 * Writes the files of the image as one archive, owners and capabilities included.
 * @throws TbuildError UNSUPPORTED for several platforms.
 */
export function tarTree({ destination, flavour }: TarTreeOptions): Exporter {
  return {
    name: 'exporting to client tarball',
    async export(result, report, signal) {
      const image = onlyImage(result.images, 'A tar of files', 'Use -o type=local, or build one platform');
      const directories = await image.openRootfs(signal);
      let count = 0;
      report('sending tarball', 0);
      await withSink(destination, (sink) => {
        const write = (bytes: Uint8Array): void => {
          sink.write(bytes);
          count += bytes.length;
          report('sending tarball', count);
        };
        return writeTree(directories, flavour, write, signal);
      });
      report('sending tarball', count, count);
      return { destination: nameOf(destination) };
    },
  };
}
