import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { isDigest, type Digest } from '@tbuild/oci';
import { writeAtomically } from '@tbuild/store';
import type { SelectedSource } from '../select/selection.ts';
import { slimStat } from '../tree/slim-stat.ts';
import type { DigestOptions } from './digest-selection.ts';

/** Ends the name of the file, which begins with that of the stat index. */
export const SELECTIONS = '.selections';

/** Remembers digests of whole selections by the stats of everything in them. */
export interface SelectionMemory {
  get(fingerprint: string): Digest | undefined;
  set(fingerprint: string, digest: Digest): void;
  /** Writes new digests for the next build. The last writer wins. */
  save(): void;
}

/** Keeps so many selections of earlier builds, such as other targets and Dockerfiles on the same context. */
const SPARE = 32;

/** Opens the memory in `file`. A missing or damaged file is an empty memory. */
export function openSelectionMemory(file: string): SelectionMemory {
  let kept: ReadonlyMap<string, Digest> | undefined;
  const used = new Map<string, Digest>();
  let changed = false;
  return {
    get(fingerprint) {
      kept ??= read(file);
      const digest = used.get(fingerprint) ?? kept.get(fingerprint);
      if (digest !== undefined) used.set(fingerprint, digest);
      return digest;
    },
    set(fingerprint, digest) {
      used.set(fingerprint, digest);
      changed = true;
    },
    save() {
      if (!changed) return;
      const others = [...(kept ?? read(file))].filter(([fingerprint]) => !used.has(fingerprint));
      const lines = [...used, ...others.slice(0, SPARE)].map(([fingerprint, digest]) => `${fingerprint} ${digest}\n`);
      writeAtomically(file, withChecksum(lines.join('')));
      changed = false;
    },
  };
}

function read(file: string): ReadonlyMap<string, Digest> {
  try {
    return new Map((bodyOf(file) ?? '').split('\n').flatMap(parseLine));
  } catch {
    return new Map();
  }
}

/** Reports whether a file is a whole memory. Throws when it cannot be read. */
export function isSelectionMemory(file: string): boolean {
  return bodyOf(file) !== undefined;
}

/** Returns undefined when the checksum is wrong. */
function bodyOf(file: string): string | undefined {
  const text = readFileSync(file, 'latin1');
  const body = text.slice(text.indexOf('\n') + 1);
  return text === withChecksum(body) ? body : undefined;
}

function parseLine(line: string): [string, Digest][] {
  const [fingerprint, digest] = line.split(' ');
  return fingerprint !== undefined && digest !== undefined && isDigest(digest) ? [[fingerprint, digest]] : [];
}

function withChecksum(body: string): string {
  return `${crc32(body)}\n${body}`;
}

/** Returns a hash of the names, attributes and times of everything in a selection. */
export function fingerprintOf(
  sources: readonly SelectedSource[],
  { owner, shown = false, anyMode = false }: Omit<DigestOptions, 'hasher'>,
): string {
  const hash = createHash('sha256').update(JSON.stringify([owner, shown, ...(anyMode ? ['any mode'] : [])]));
  for (const { name, entry, files } of sources) {
    hash.update(JSON.stringify([name, entry.location, slimStat(entry.stats), files.length]));
    files.addTo(hash);
  }
  return hash.digest('hex');
}
