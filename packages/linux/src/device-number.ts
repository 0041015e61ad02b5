/** A device number (`st_rdev`) from its two parts, in glibc's 64-bit layout. */
export function makedev(major: number, minor: number): number {
  const low = (minor & 0xff) | ((major & 0xfff) << 8);
  const high = Math.floor(minor / 0x100) * 0x100000 + Math.floor(major / 0x1000) * 0x100000000000;
  return high + low;
}

/** The driver's half of a device number. */
export function majorOf(device: number): number {
  return (Math.floor(device / 0x100) & 0xfff) + Math.floor(device / 0x100000000000) * 0x1000;
}

/** The driver's own half of a device number. */
export function minorOf(device: number): number {
  return (device & 0xff) + (Math.floor(device / 0x100000) % 0x1000000) * 0x100;
}
