import type { InstalledPackage } from '../packages.ts';

const NAME = 1000;
const VERSION = 1001;
const RELEASE = 1002;
const EPOCH = 1003;
const VENDOR = 1011;
const LICENSE = 1014;
const ARCHITECTURE = 1022;
const SOURCE = 1044;

/** Value types: 32-bit numbers and NUL-terminated strings. */
const INT32 = 4;
const TEXTS: ReadonlySet<number> = new Set([6, 8, 9]);

/** Name of the pseudo-packages that hold keys for verifying signatures. */
const KEY = 'gpg-pubkey';

/**
 * Parses the header of an installed package as rpm's databases store it ("RPM V4 Package Format", without the magic
 * number): the counts of entries and bytes, the entries, the bytes. Numbers are big-endian.
 * @throws RangeError for a damaged header.
 */
export function parseRpmHeader(blob: Buffer, source: string): readonly InstalledPackage[] {
  const tags = readTags(blob);
  const text = (tag: number): string | undefined => {
    const value = tags.get(tag);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const [name, version, release] = [text(NAME), text(VERSION), text(RELEASE)];
  if (name === undefined || version === undefined || name === KEY) return [];
  const epoch = tags.get(EPOCH);
  return [
    {
      kind: 'rpm',
      name,
      version: release === undefined ? version : `${version}-${release}`,
      ...(typeof epoch === 'number' && epoch !== 0 ? { epoch } : {}),
      architecture: text(ARCHITECTURE),
      license: text(LICENSE),
      organization: text(VENDOR),
      upstream: text(SOURCE),
      source,
    },
  ];
}

function readTags(blob: Buffer): ReadonlyMap<number, string | number> {
  const entries = blob.readInt32BE(0);
  const start = 8 + 16 * entries;
  const tags = new Map<number, string | number>();
  for (let at = 8; at < start; at += 16) {
    const [tag, type, offset] = [blob.readInt32BE(at), blob.readInt32BE(at + 4), start + blob.readInt32BE(at + 8)];
    if (type === INT32) tags.set(tag, blob.readUInt32BE(offset));
    else if (TEXTS.has(type)) tags.set(tag, blob.toString('utf8', offset, endOfText(blob, offset)));
  }
  return tags;
}

function endOfText(blob: Buffer, offset: number): number {
  const end = blob.indexOf(0, offset);
  if (end < 0) throw new RangeError('A string of an rpm header has no terminating NUL');
  return end;
}
