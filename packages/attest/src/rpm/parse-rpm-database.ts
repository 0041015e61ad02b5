import type { InstalledPackage } from '../packages.ts';
import { berkeleyBlobs, isBerkeleyHash } from './berkeley-blobs.ts';
import { ndbBlobs } from './ndb-blobs.ts';
import { parseRpmHeader } from './rpm-header.ts';
import { sqliteBlobs } from './sqlite-blobs.ts';

/** Matches the paths of rpm's databases in all three formats. */
export const RPM_DATABASE =
  /^(?:var\/lib|usr\/lib\/sysimage|usr\/share)\/rpm\/(?:rpmdb\.sqlite|Packages|Packages\.db)$/;

/**
 * Parses an rpm database. The first bytes tell its format.
 * @throws RangeError for a damaged file or an unknown format.
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
  throw new RangeError('The file is not an rpm database');
}
