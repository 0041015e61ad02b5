import { copyFileSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { root, run, sourceDateEpoch, version, withDirectory } from './inputs.mjs';

/**
 * Builds the image `tbuild` with tbuild itself, from the .deb packages, for their architectures, and its variant with
 * emulators: two OCI archives. `options` go to the build, such as a named context in place of the base image.
 */
export function makeImages(packages, destination, options) {
  return withDirectory((directory) => {
    const context = join(directory, 'context');
    mkdirSync(context);
    for (const { file } of packages) copyFileSync(file, join(context, basename(file)));
    const platforms = packages.map(({ architecture }) => `linux/${architecture}`).join();
    return [
      ['tbuild', ''],
      ['qemu', '-qemu'],
    ].map(([target, suffix]) => {
      const file = join(destination, `tbuild-${version}${suffix}-image.tar`);
      const args = ['--target', target, '--platform', platforms, '-t', `tbuild:${version}${suffix}`, ...options];
      const output = ['-o', `type=oci,dest=${file},rewrite-timestamp=true`];
      run(
        join(root, 'packages/cli/bin/tbuild'),
        ['-f', join(root, 'packages/cli/image/Dockerfile'), ...args, ...output, context],
        { env: { ...process.env, SOURCE_DATE_EPOCH: String(sourceDateEpoch()) }, stdio: 'inherit' },
      );
      return file;
    });
  });
}
