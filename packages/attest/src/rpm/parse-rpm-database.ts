import type { InstalledPackage } from '../packages.ts';
import { berkeleyBlobs, isBerkeleyHash } from './berkeley-blobs.ts';
import { ndbBlobs } from './ndb-blobs.ts';
import { parseRpmHeader } from './rpm-header.ts';
import { sqliteBlobs } from './sqlite-blobs.ts';

/** Where rpm's databases are, and in which of its three formats. */
export const RPM_DATABASE =
  /^(?:var\/lib|usr\/lib\/sysimage|usr\/share)\/rpm\/(?:rpmdb\.sqlite|Packages|Packages\.db)$/;

/**
 * Reads a database of rpm in any of its formats, told by how it begins.
 * @throws RangeError for a damaged one, and for what is none.
 */
export function parseRpmDatabase(bytes: Buffer, source: string): readonly InstalledPackage[] {
  const packages: InstalledPackage[] = [];
  for (const blob of blobsOf(bytes)) packages.push(...parseRpmHeader(blob, source));
  return packages;
}

function blobsOf(bytes: Buffer): Iterable<Buffer> {
  if (bytes.length === 0) return [];
  if (bytes.toString('latin1', 0, 15) === 'SQLite format 3') return sqliteBlobs(bytes, 'Packages');
  if (bytes.toString('latin1', 0, 4) === 'RpmP') return ndbBlobs(bytes);
  if (isBerkeleyHash(bytes)) return berkeleyBlobs(bytes);
  throw new RangeError('The file is no database of rpm');
}
