import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { readTar, type TarMember } from './tar-archive.ts';

/** The compared attributes of a file: everything that an image carries except times. */
export interface TreeEntry {
  readonly type: 'file' | 'directory' | 'symlink' | 'character' | 'block' | 'fifo';
  /** Four octal digits. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  readonly size?: number;
  readonly sha256?: string;
  readonly target?: string;
  readonly device?: string;
  /** `security.capability` in hexadecimal. */
  readonly capability?: string;
  /** The first path, in order, of the same inode; absent on that path itself. */
  readonly linkTo?: string;
}

/** A file tree by absolute path. */
type Tree = ReadonlyMap<string, TreeEntry>;

interface Inode {
  readonly entry: TreeEntry;
  readonly mtime: number;
  readonly data: Buffer;
}

const types: Readonly<Record<string, TreeEntry['type']>> = {
  '0': 'file',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
};

/** An image's file system, with its layers applied in order. */
export interface ImageTree {
  readonly entries: Tree;
  /** Returns the content of a file; throws when it does not exist. */
  readText(path: string): string;
  /** Modification time in seconds. */
  mtime(path: string): number;
}

/** Applies uncompressed layer archives in order, whiteouts and hard links included. */
export function treeOfLayers(layers: Iterable<Buffer>): ImageTree {
  const inodes = new Map<string, Inode>();
  for (const layer of layers) applyLayer(inodes, layer);
  const find = (path: string) => {
    const inode = inodes.get(path);
    if (inode === undefined) throw new Error(`The image has no ${path}`);
    return inode;
  };
  return {
    entries: entriesOf(inodes),
    readText: (path) => find(path).data.toString(),
    mtime: (path) => find(path).mtime,
  };
}

function applyLayer(inodes: Map<string, Inode>, layer: Buffer): void {
  const own = new Set<string>();
  for (const member of readTar(layer)) {
    const path = posix.join('/', member.name).replace(/(.)\/$/, '$1');
    const name = posix.basename(path);
    const parent = posix.dirname(path);
    if (name === '.wh..wh..opq') {
      removeBelow(inodes, parent, own);
    } else if (name.startsWith('.wh.')) {
      const hidden = posix.join(parent, name.slice('.wh.'.length));
      inodes.delete(hidden);
      removeBelow(inodes, hidden, own);
    } else if (path !== '/') {
      place(inodes, path, member);
      own.add(path);
    }
  }
}

function place(inodes: Map<string, Inode>, path: string, member: TarMember): void {
  const inode = member.type === '1' ? linkedInode(inodes, member) : inodeOf(member);
  const before = inodes.get(path);
  if (before?.entry.type === 'directory' && inode.entry.type !== 'directory') removeBelow(inodes, path, new Set());
  inodes.set(path, inode);
}

function linkedInode(inodes: Map<string, Inode>, member: TarMember): Inode {
  const target = posix.join('/', member.linkName);
  const inode = inodes.get(target);
  if (inode === undefined) throw new Error(`Hard link ${member.name} leads to ${target}, which is not there`);
  return inode;
}

function inodeOf(member: TarMember): Inode {
  const type = types[member.type];
  if (type === undefined) throw new Error(`Tar member ${member.name} has the unknown type ${member.type}`);
  const capability = member.attributes.get('security.capability')?.toString('hex');
  const sha256 = () => createHash('sha256').update(member.data).digest('hex');
  const entry: TreeEntry = {
    type,
    mode: type === 'symlink' ? '0777' : (member.mode & 0o7777).toString(8).padStart(4, '0'),
    uid: member.uid,
    gid: member.gid,
    ...(type === 'file' && { size: member.size, sha256: sha256() }),
    ...(type === 'symlink' && { target: member.linkName }),
    ...((type === 'character' || type === 'block') && { device: member.device }),
    ...(capability !== undefined && { capability }),
  };
  return { entry, mtime: member.mtime, data: member.data };
}

function removeBelow(inodes: Map<string, Inode>, directory: string, except: ReadonlySet<string>): void {
  const prefix = directory === '/' ? '/' : `${directory}/`;
  for (const path of inodes.keys()) {
    if (path.startsWith(prefix) && !except.has(path)) inodes.delete(path);
  }
}

function entriesOf(inodes: ReadonlyMap<string, Inode>): Tree {
  const first = new Map<Inode, string>();
  const entries = new Map<string, TreeEntry>();
  for (const path of [...inodes.keys()].sort()) {
    const inode = inodes.get(path)!;
    const linkTo = first.get(inode);
    if (linkTo === undefined) first.set(inode, path);
    entries.set(path, linkTo === undefined ? inode.entry : { ...inode.entry, linkTo });
  }
  return entries;
}
