/** Returns the device number (`st_rdev`) for a major and a minor number, in glibc's 64-bit layout. */
export function makedev(major: number, minor: number): number {
  const low = (minor & 0xff) | ((major & 0xfff) << 8);
  const high = Math.floor(minor / 0x100) * 0x100000 + Math.floor(major / 0x1000) * 0x100000000000;
  return high + low;
}

/** Returns the major number, which selects the driver. */
export function majorOf(device: number): number {
  return (Math.floor(device / 0x100) & 0xfff) + Math.floor(device / 0x100000000000) * 0x1000;
}

/** Returns the minor number, which the driver interprets. */
export function minorOf(device: number): number {
  return (device & 0xff) + (Math.floor(device / 0x100000) % 0x1000000) * 0x100;
}
