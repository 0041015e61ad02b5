/** Why the content of a file differs, as far as can be told, and what to do about it. */
export interface Explanation {
  readonly cause?: string;
  readonly advice?: string;
}

/** Returns why two contents of the same file differ. Without the contents, only its path can tell. */
export function explainContent(path: string, first?: Buffer, second?: Buffer): Explanation {
  if (first !== undefined && second !== undefined) {
    for (const { explains, ...explanation } of DETECTORS) if (explains(first, second, path)) return explanation;
  }
  return PLACES.find(({ pattern }) => pattern.test(path))?.explanation ?? {};
}

interface Detector extends Explanation {
  explains(first: Buffer, second: Buffer, path: string): boolean;
}

const DETECTORS: readonly Detector[] = [
  {
    cause: 'time inside the file (compiled Python)',
    advice: 'Set SOURCE_DATE_EPOCH in the step, or PYTHONDONTWRITEBYTECODE=1',
    explains: (first, second, path) => path.endsWith('.pyc') && equalWithout(first, second, [[8, 12]]),
  },
  {
    cause: 'time in the gzip header',
    advice: 'Compress with gzip -n',
    explains: (first, second) => startsWith(first, second, '1f8b') && equalWithout(first, second, [[4, 8]]),
  },
  {
    cause: 'times inside the zip archive',
    advice: 'Touch the files to SOURCE_DATE_EPOCH before zipping them, and use zip -X',
    explains: (first, second) =>
      startsWith(first, second, '504b0304') && zipWithoutTimes(first).equals(zipWithoutTimes(second)),
  },
  {
    cause: 'times, owners or modes inside the static library',
    advice: 'Create it with ar D, or a binutils that is deterministic by default',
    explains: (first, second) =>
      startsWith(first, second, '213c617263683e0a') && arWithoutStats(first).equals(arWithoutStats(second)),
  },
  {
    cause: 'the same lines in another order',
    advice: 'Sort the output: the order of a directory, a hash or parallel work is not fixed',
    explains: (first, second) => {
      const [one, other] = [linesOf(first), linesOf(second)];
      return one !== undefined && other !== undefined && one.toSorted().join('\n') === other.toSorted().join('\n');
    },
  },
  {
    cause: 'time inside the file',
    advice: 'Use SOURCE_DATE_EPOCH instead of the current time',
    explains: (first, second) => sameTextWithout(first, second, TIMES),
  },
  {
    cause: 'a random identifier inside the file',
    advice: 'Give the tool a fixed seed or name',
    explains: (first, second) => sameTextWithout(first, second, IDENTIFIERS),
  },
];

const MONTHS = 'Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec';
const TIMES = [
  /\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?(?: ?(?:Z|[+-]\d\d:?\d\d))?/g,
  new RegExp(`(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\\w*,? +)?(?:\\d{1,2} +)?(?:${MONTHS})\\w*(?: +\\d{1,2}(?!\\d))?`, 'g'),
  /\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d+)?(?: ?[AP]M)?/g,
  /\b1\d{9}(?:\d{3}|\.\d+)?\b/g,
  /\b20\d\d\b/g,
];
const IDENTIFIERS = [/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/gi, /\b[0-9a-f]{16,128}\b/gi, /(?<=tmp)\w{6,12}/g];

function startsWith(first: Buffer, second: Buffer, hex: string): boolean {
  const magic = Buffer.from(hex, 'hex');
  return first.subarray(0, magic.length).equals(magic) && second.subarray(0, magic.length).equals(magic);
}

function equalWithout(first: Buffer, second: Buffer, ranges: readonly (readonly [number, number])[]): boolean {
  return first.length === second.length && blanked(first, ranges).equals(blanked(second, ranges));
}

function blanked(bytes: Buffer, ranges: readonly (readonly [number, number])[]): Buffer {
  const copy = Buffer.from(bytes);
  for (const [from, to] of ranges) copy.fill(0, from, Math.min(to, copy.length));
  return copy;
}

/** Blanks the times in the headers of members, and of the directory at the end. */
function zipWithoutTimes(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  for (const [signature, offset] of [
    ['504b0304', 10],
    ['504b0102', 12],
  ] as const) {
    const magic = Buffer.from(signature, 'hex');
    for (let at = copy.indexOf(magic); at >= 0; at = copy.indexOf(magic, at + 4)) {
      copy.fill(0, at + offset, Math.min(at + offset + 4, copy.length));
      blankExtraTimes(copy, at, signature === '504b0304' ? { fixed: 30, name: 26 } : { fixed: 46, name: 28 });
    }
  }
  return copy;
}

/** Blanks the extra fields of a header, in which Unix times are. */
function blankExtraTimes(copy: Buffer, at: number, { fixed, name }: { readonly fixed: number; name: number }): void {
  if (at + fixed > copy.length) return;
  const start = at + fixed + copy.readUInt16LE(at + name);
  copy.fill(0, Math.min(start, copy.length), Math.min(start + copy.readUInt16LE(at + name + 2), copy.length));
}

const AR_MAGIC = 8;
const AR_HEADER = 60;

function arWithoutStats(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  for (let at = AR_MAGIC; at + AR_HEADER <= copy.length;) {
    const size = Number(copy.toString('latin1', at + 48, at + 58).trim());
    if (!Number.isInteger(size) || size < 0) break;
    copy.fill(0x20, at + 16, at + 48);
    at += AR_HEADER + size + (size % 2);
  }
  return copy;
}

function textOf(bytes: Buffer): string | undefined {
  return bytes.includes(0) ? undefined : bytes.toString('utf8');
}

function linesOf(bytes: Buffer): string[] | undefined {
  return textOf(bytes)?.split('\n');
}

function sameTextWithout(first: Buffer, second: Buffer, patterns: readonly RegExp[]): boolean {
  const [one, other] = [textOf(first), textOf(second)];
  if (one === undefined || other === undefined) return false;
  const strip = (text: string): string => patterns.reduce((left, pattern) => left.replace(pattern, '·'), text);
  return strip(one) === strip(other);
}

const PLACES: readonly { readonly pattern: RegExp; readonly explanation: Explanation }[] = [
  {
    pattern: /^\/var\/log\//,
    explanation: { cause: 'a log', advice: 'Remove logs in the RUN that writes them: rm -rf /var/log/*' },
  },
  {
    pattern: /^\/var\/(?:lib\/apt\/lists|cache\/apt)\//,
    explanation: {
      cause: 'state of apt',
      advice: 'Remove it in the RUN that writes it, or mount a cache there; pin the versions of packages',
    },
  },
  {
    pattern: /^\/var\/lib\/(?:dpkg|rpm)\/|^\/lib\/apk\/db\/|^\/usr\/lib\/sysimage\/rpm\//,
    explanation: { cause: 'installed packages', advice: 'Pin the versions of packages, or use a snapshot mirror' },
  },
  {
    pattern: /^\/var\/cache\/ldconfig\/aux-cache$/,
    explanation: { cause: 'inode numbers and times in a cache', advice: 'Remove /var/cache/ldconfig/aux-cache' },
  },
  {
    pattern: /^\/etc\/(?:machine-id|ssh\/ssh_host_\w+)(?:\.pub)?$|\/random-seed$/,
    explanation: { cause: 'made at random', advice: 'Remove it in the image, and make it when a container starts' },
  },
  {
    pattern: /^\/(?:root|home\/[^/]+)\/\.(?:cache|npm|bash_history|wget-hsts|viminfo)/,
    explanation: { cause: 'a cache or history of a user', advice: 'Remove it in the RUN that writes it' },
  },
];
