import { formatTransferred } from '@tbuild/tui';

/** What says how far layers are, on a terminal or not. */
export interface TransferLines extends Disposable {
  /** That `current` of `total` bytes of a blob are through. */
  report(digest: string, current: number, total: number): void;
}

export interface TransferLinesOptions {
  readonly out: { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number };
  /** Milliseconds. */
  now(): number;
}

interface Transfer {
  current: number;
  readonly total: number;
  shownAt: number;
}

/** Milliseconds after which what goes on is shown again. */
const ON_TERMINAL = 100;
const ELSEWHERE = 5000;

/**
 * A line for each layer that is through; between, on a terminal, one line that tells how far all are, elsewhere now
 * and then a line for a layer that takes long. Disposing of it takes the unfinished line away.
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
