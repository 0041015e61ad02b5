import { type CooperativeTask, runSync } from '@tbuild/concurrency';
import { archiveError } from './archive-error.ts';
import { decodeTarHeader, isHeaderOnly, type RawHeader } from './decode-tar-header.ts';
import { decodeText, parsePaxRecords, type PaxRecords } from './pax-records.ts';
import { BLOCK, paddingOf, TarType, type TarEntry } from './tar-entry.ts';

/** Takes the bytes of one file of an archive. */
export interface MemberSink {
  write(bytes: Uint8Array): void;
  /** Called after the last byte. */
  end(): void;
  /** Releases resources; called instead of `end` if the archive is truncated. */
  abort(): void;
}

/** Called for each member in order. The returned sink takes the bytes of a file; without one they are skipped. */
export type OnMember = (entry: TarEntry) => MemberSink | undefined;

/** Longer than any name, link or attribute that the kernel accepts. Bounds the memory that an archive can use. */
const LONGEST_EXTENSION = 1 << 20;

interface Member {
  readonly take: (bytes: Uint8Array) => void;
  readonly end: () => void;
  readonly abort: () => void;
}

/**
 * Parses an archive as its bytes arrive: ustar, PAX, and GNU's long names and large numbers. It refuses sparse files,
 * which BuildKit's layers never contain, and ignores bytes after the end marker.
 */
export class TarParser {
  readonly #onMember: OnMember;
  readonly #partial = Buffer.alloc(BLOCK);
  #partialSize = 0;
  #member: Member | undefined;
  #rest = 0;
  #skip = 0;
  #zeroBlocks = 0;
  #records: PaxRecords = new Map();
  #longName: string | undefined;
  #longLink: string | undefined;

  constructor(onMember: OnMember) {
    this.#onMember = onMember;
  }

  /** Parses the next bytes of the archive and does not keep them. */
  push(bytes: Uint8Array): void {
    runSync(this.parse(bytes));
  }

  /** The same as `push`, for a cooperative caller. */
  *parse(bytes: Uint8Array): CooperativeTask {
    let at = 0;
    while (at < bytes.length && this.#zeroBlocks < 2) {
      const left = bytes.length - at;
      if (this.#rest > 0) {
        const count = Math.min(left, this.#rest);
        this.#member?.take(bytes.subarray(at, at + count));
        at += count;
        this.#rest -= count;
        if (this.#rest === 0) this.#endMember();
      } else if (this.#skip > 0) {
        const count = Math.min(left, this.#skip);
        at += count;
        this.#skip -= count;
      } else if (this.#partialSize === 0 && left >= BLOCK) {
        this.#block(bytes.subarray(at, at + BLOCK));
        at += BLOCK;
      } else at += this.#gather(bytes.subarray(at));
      yield;
    }
  }

  /** Ends the archive. @throws TbuildError SNAPSHOT if it is truncated inside a member. */
  finish(): void {
    if (this.#rest > 0 || this.#skip > 0 || this.#partialSize > 0) throw archiveError('The archive is truncated');
  }

  /** Releases the sink of a file that failed midway. */
  abort(): void {
    this.#member?.abort();
    this.#member = undefined;
  }

  #gather(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, BLOCK - this.#partialSize);
    this.#partial.set(bytes.subarray(0, count), this.#partialSize);
    this.#partialSize += count;
    if (this.#partialSize === BLOCK) {
      this.#partialSize = 0;
      this.#block(this.#partial);
    }
    return count;
  }

  #block(block: Uint8Array): void {
    if (block[0] === 0 && block.every((byte) => byte === 0)) {
      this.#zeroBlocks++;
      return;
    }
    if (this.#zeroBlocks > 0) throw archiveError('The archive continues after its end marker');
    const raw = decodeTarHeader(block);
    if (EXTENSIONS.includes(raw.type)) this.#beginExtension(raw);
    else this.#beginMember(raw);
  }

  #beginExtension({ type, size }: RawHeader): void {
    if (size > LONGEST_EXTENSION)
      throw archiveError(`Extended tar header has ${size} bytes, expected at most ${LONGEST_EXTENSION}`);
    const chunks: Uint8Array[] = [];
    const end = (): void => this.#extend(type, Buffer.concat(chunks));
    this.#begin(size, { take: (bytes) => chunks.push(Uint8Array.from(bytes)), end, abort: () => {} });
  }

  #extend(type: string, data: Buffer): void {
    if (type === 'x') this.#records = parsePaxRecords(data);
    // A global header holds defaults and comments, which containerd ignores as well.
    if (type === 'g') return;
    const text = (): string => decodeText(data.subarray(0, data.indexOf(0) < 0 ? data.length : data.indexOf(0)));
    if (type === 'L') this.#longName = text();
    if (type === 'K') this.#longLink = text();
  }

  #beginMember(raw: RawHeader): void {
    const entry = this.#complete(raw);
    this.#records = new Map();
    this.#longName = this.#longLink = undefined;
    const sink = this.#onMember(entry);
    this.#begin(entry.size, {
      take: (bytes) => sink?.write(bytes),
      end: () => sink?.end(),
      abort: () => sink?.abort(),
    });
  }

  #begin(size: number, member: Member): void {
    this.#member = member;
    this.#rest = size;
    this.#skip = paddingOf(size);
    if (size === 0) this.#endMember();
  }

  #endMember(): void {
    const member = this.#member;
    this.#member = undefined;
    member?.end();
  }

  #complete(raw: RawHeader): TarEntry {
    const records = this.#records;
    for (const key of records.keys()) if (key.startsWith('GNU.sparse.')) refuseSparse(raw.name);
    const text = (key: string): string | undefined => {
      const value = records.get(key);
      return value && decodeText(value);
    };
    const name = text('path') ?? this.#longName ?? raw.name;
    const type = typeOf(raw.type, name);
    const size = integer(text('size'), raw.size);
    return {
      name,
      type,
      mode: raw.mode,
      uid: integer(text('uid'), raw.uid),
      gid: integer(text('gid'), raw.gid),
      size: isHeaderOnly(type) ? 0 : size,
      mtimeMs: milliseconds(text('mtime'), raw.mtime),
      linkName: text('linkpath') ?? this.#longLink ?? raw.linkName,
      major: raw.major,
      minor: raw.minor,
      xattrs: attributesOf(records),
    };
  }
}

const EXTENSIONS: readonly string[] = ['x', 'g', 'L', 'K'];
const XATTR = 'SCHILY.xattr.';

const TYPES: Readonly<Record<string, TarType>> = {
  ...Object.fromEntries(Object.values(TarType).map((type) => [type, type])),
  7: TarType.file,
};

function typeOf(letter: string, name: string): TarType {
  if (letter === '\0') return name.endsWith('/') ? TarType.directory : TarType.file;
  if (letter === 'S') refuseSparse(name);
  const type = TYPES[letter];
  if (type === undefined)
    throw archiveError(`Member ${JSON.stringify(name)} has the unknown type ${JSON.stringify(letter)}`);
  return type;
}

function refuseSparse(name: string): never {
  throw archiveError(`Member ${JSON.stringify(name)} is a sparse file, which layers cannot contain`);
}

function attributesOf(records: PaxRecords): ReadonlyMap<string, Uint8Array> | undefined {
  let attributes: Map<string, Uint8Array> | undefined;
  for (const [key, value] of records) {
    if (!key.startsWith(XATTR)) continue;
    attributes ??= new Map();
    attributes.set(key.slice(XATTR.length), value);
  }
  return attributes;
}

function integer(text: string | undefined, otherwise: number): number {
  if (text === undefined || text === '') return otherwise;
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw archiveError(`Extended tar header has the invalid number ${JSON.stringify(text)}`);
  return value;
}

/** Seconds from 1970 to the last date of JavaScript. The kernel refuses times far beyond. */
const LAST_TIME = 8.64e12;

function milliseconds(text: string | undefined, seconds: number): number {
  const given = text === undefined || text === '' ? String(seconds) : text;
  const value = Number(given);
  if (!/^-?\d+(\.\d*)?$/.test(given) || Math.abs(value) > LAST_TIME)
    throw archiveError(`Tar header has the invalid time ${JSON.stringify(given)}`);
  return value * 1000;
}
