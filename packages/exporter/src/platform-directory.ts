import { formatPlatform, type Platform } from '@tbuild/oci';

/** What the files of one platform among several are put under: `linux_arm_v7`. */
export function platformDirectory(platform: Platform): string {
  return formatPlatform(platform).replaceAll('/', '_');
}
