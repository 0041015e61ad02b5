/** The next bytes of the stream; headers are parsed. */
interface Part {
  readonly length: number;
  readonly isHeader?: boolean;
  readonly endsFrame?: boolean;
}

/**
 * Yields the same bytes in chunks that end where a frame ends. Node's decompressor drops the bytes that follow a
 * frame in the same chunk, but data may consist of many frames (RFC 8878, section 3), as in layers that can be read
 * file by file.
 */
export async function* splitAtFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const parts = frames();
  let part = parts.next();
  let [header, passed]: [number[], number] = [[], 0];
  for await (const bytes of source) {
    let [begin, at] = [0, 0];
    while (at < bytes.length && part.done !== true) {
      const { length, isHeader, endsFrame } = part.value;
      const end = Math.min(bytes.length, at + length - passed);
      if (isHeader === true) header.push(...bytes.subarray(at, end));
      passed += end - at;
      at = end;
      if (passed < length) break;
      if (endsFrame === true && at > begin) {
        yield bytes.subarray(begin, at);
        begin = at;
      }
      part = parts.next(header);
      [header, passed] = [[], 0];
    }
    if (begin < bytes.length) yield bytes.subarray(begin);
  }
}

const FRAME = 0xfd2fb528;
/** The first of sixteen magic numbers, which differ in the last four bits. */
const SKIPPABLE = 0x184d2a50;

/** Yields the parts of all frames and takes the bytes of each header. Ends where no frame begins. */
function* frames(): Generator<Part, void, readonly number[]> {
  for (;;) {
    const magic = numberOf(yield { length: 4, isHeader: true });
    if (magic === FRAME) yield* frame();
    else if (magic - (magic % 16) === SKIPPABLE)
      yield { length: numberOf(yield { length: 4, isHeader: true }), endsFrame: true };
    else return;
  }
}

/** "Frame_Header", each "Data_Block" and "Content_Checksum". */
function* frame(): Generator<Part, void, readonly number[]> {
  const [descriptor = 0] = yield { length: 1, isHeader: true };
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const checksum = (descriptor & 4) === 0 ? 0 : 4;
  const dictionary = [0, 1, 2, 4][descriptor % 4] ?? 0;
  const contentSize = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  yield { length: (isSingleSegment ? 0 : 1) + dictionary + contentSize };
  for (let isLast = false; !isLast;) {
    const block = numberOf(yield { length: 3, isHeader: true });
    isLast = block % 2 === 1;
    const length = ((block >> 1) & 3) === RUN_LENGTH ? 1 : block >> 3;
    yield isLast ? { length: length + checksum, endsFrame: true } : { length };
  }
}

/** A block that repeats one byte. */
const RUN_LENGTH = 1;

function numberOf(bytes: readonly number[]): number {
  return bytes.reduceRight((number, byte) => number * 256 + byte, 0);
}
