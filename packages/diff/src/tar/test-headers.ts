import { TarType, type TarEntry } from './tar-entry.ts';

const capability = Buffer.from('\x01\x00\x00\x02\xff\x04=\nmore', 'latin1');
const name = (length: number, end = ''): string =>
  `${'dir/sub-directory/'.repeat(30).slice(0, length - 6)}a/file`.slice(0, length - end.length) + end;
const lengths = [99, 100, 101, 102, 120, 155, 156, 157, 200, 255, 256, 257, 258, 400];

const xattrs = new Map([['security.capability', capability]]);

/** Headers with every field at its limits. `go-headers.tar` is what Go's archive/tar writes for them. */
export const headerCases: readonly Partial<TarEntry>[] = [
  { name: 'file', size: 5 },
  { name: 'dir/', type: TarType.directory, mode: 0o2755 },
  { name: 'link', type: TarType.symlink, linkName: '../x', mode: 0o777 },
  { name: 'hard', type: TarType.link, linkName: 'file' },
  { name: 'null', type: TarType.character, major: 1, minor: 3 },
  { name: 'disk', type: TarType.block, major: 259, minor: 70000 },
  { name: 'pipe', type: TarType.fifo },
  { name: 'tool', mode: 0o4755, xattrs },
  { name: `d/${'é'.repeat(60)}/x`, xattrs, uid: 3_000_000 },
  { name: 'd/été/', type: TarType.directory },
  { name: '日本/😀' },
  { name: 'ids', uid: 2_097_151, gid: 2_097_151 },
  { name: 'larger', uid: 2_097_152, gid: 4_294_967_294 },
  { name: 'huge', size: 8_589_934_591 },
  { name: 'larger still', size: 8_589_934_592 },
  { name: 'old', mtimeMs: -5000 },
  { name: 'late', mtimeMs: 8_589_934_592_000 },
  { name: 'cut', mtimeMs: 1_700_000_000_999 },
  { name: 'l', type: TarType.symlink, linkName: 'é' },
  ...lengths.map((length) => ({ name: name(length) })),
  ...lengths.map((length) => ({ name: name(length, '/'), type: TarType.directory })),
  ...lengths.map((length) => ({ name: 'l', type: TarType.symlink, linkName: name(length) })),
  ...lengths.map((length) => ({ name: name(length), xattrs })),
  ...lengths.map((length) => ({ name: name(length), linkName: name(length), type: TarType.link })),
  { name: `${'n'.repeat(99)}/x` },
  { name: `${'n'.repeat(97)}///x` },
  { name: 'n'.repeat(120) },
  { name: 'd/.wh.été', mode: 0 },
];
