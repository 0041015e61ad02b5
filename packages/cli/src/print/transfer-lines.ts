import { formatTransferred } from '@tbuild/tui';

/** Shows the progress of layers, on a terminal or not. */
export interface TransferLines extends Disposable {
  /** Reports that `current` of `total` bytes of a blob are done. */
  report(digest: string, current: number, total: number): void;
}

export interface TransferLinesOptions {
  readonly out: { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number };
  /** The time in milliseconds. */
  now(): number;
}

interface Transfer {
  current: number;
  readonly total: number;
  shownAt: number;
}

/** Running transfers are shown again after this many milliseconds. */
const ON_TERMINAL = 100;
const ELSEWHERE = 5000;

/**
 * Prints a line for each finished layer. Meanwhile a terminal shows one line with the progress of all, and other
 * outputs get an occasional line for a layer that takes long. Disposing removes the unfinished line.
 */
export function createTransferLines({ out, now }: TransferLinesOptions): TransferLines {
  const running = new Map<string, Transfer>();
  const done = new Set<string>();
  let drawnAt = Number.NEGATIVE_INFINITY;
  let isDrawn = false;
  const clear = (): void => {
    if (isDrawn) out.write('\r\u001B[K');
    isDrawn = false;
  };
  const draw = (): void => {
    if (out.isTTY !== true || running.size === 0 || now() - drawnAt < ON_TERMINAL) return;
    drawnAt = now();
    clear();
    const text = [...running].map(([digest, transfer]) => lineOf(digest, transfer)).join('  ');
    out.write(text.slice(0, (out.columns ?? 80) - 1));
    isDrawn = true;
  };
  return {
    report(digest, current, total) {
      if (done.has(digest)) return;
      if (current >= total) {
        done.add(digest);
        running.delete(digest);
        clear();
        out.write(`${shortOf(digest)}: ${formatTransferred(total)}\n`);
        return draw();
      }
      const transfer = running.get(digest) ?? { current, total, shownAt: now() };
      running.set(digest, transfer);
      transfer.current = current;
      draw();
      if (out.isTTY === true || now() - transfer.shownAt < ELSEWHERE) return;
      transfer.shownAt = now();
      out.write(`${lineOf(digest, transfer)}\n`);
    },
    [Symbol.dispose]: clear,
  };
}

function lineOf(digest: string, { current, total }: Transfer): string {
  return `${shortOf(digest)}: ${formatTransferred(current)} / ${formatTransferred(total)}`;
}

function shortOf(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12);
}
