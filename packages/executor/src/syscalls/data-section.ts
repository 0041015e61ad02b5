/** Data that a system call takes by address. */
export type Datum =
  | { readonly text: string }
  | { readonly numbers: readonly number[] }
  /** A table of pointers that ends with a null pointer. */
  | { readonly texts: readonly string[] }
  /** A `struct sock_fprog` for a program of eight bytes per instruction. */
  | { readonly filter: Uint8Array };

export interface DataSection {
  /** Adds data, each object only once, and returns its address. */
  place(datum: Datum): number;
  bytes(): Uint8Array;
}

/** Collects data that will be mapped at `address`, a multiple of eight. */
export function createDataSection(address: number): DataSection {
  const pieces: Uint8Array[] = [];
  let end = address;
  const add = (piece: Uint8Array): number => {
    const at = end;
    const padded = new Uint8Array(Math.ceil(piece.length / 8) * 8);
    padded.set(piece);
    pieces.push(padded);
    end += padded.length;
    return at;
  };
  const texts = new Map<string, number>();
  const addText = (text: string): number => {
    const at = texts.get(text) ?? add(Buffer.from(`${text}\0`));
    texts.set(text, at);
    return at;
  };
  const placed = new Map<Datum, number>();
  const addDatum = (datum: Datum): number => {
    if ('text' in datum) return addText(datum.text);
    if ('numbers' in datum) return add(new Uint8Array(Uint32Array.from(datum.numbers).buffer));
    if ('texts' in datum) return add(words([...datum.texts.map(addText), 0]));
    return add(words([datum.filter.length / 8, add(datum.filter)]));
  };
  const place = (datum: Datum): number => {
    const at = placed.get(datum) ?? addDatum(datum);
    placed.set(datum, at);
    return at;
  };
  return { place, bytes: () => Buffer.concat(pieces) };
}

function words(values: readonly number[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values.map(BigInt)).buffer);
}
