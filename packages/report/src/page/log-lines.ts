import type { StepFacts } from '../report-data.ts';

/** A line of output. */
export interface Line {
  /** Counts from 1. */
  readonly number: number;
  /** When its first part came. */
  readonly at: number;
  /** May have ANSI sequences for colours. */
  readonly text: string;
}

/** Splits output into lines. Of text that carriage returns overwrite, the last stays. */
export function linesOf(log: StepFacts['log']): readonly Line[] {
  const lines: Line[] = [];
  let open: { at: number; text: string } | undefined;
  const close = (): void => {
    if (open === undefined) return;
    const text = open.text.replace(/\r+$/, '');
    lines.push({ number: lines.length + 1, at: open.at, text: text.slice(text.lastIndexOf('\r') + 1) });
    open = undefined;
  };
  for (const [at, text] of log) {
    const parts = text.split('\n');
    for (const [index, part] of parts.entries()) {
      if (index > 0) {
        open ??= { at, text: '' };
        close();
      }
      if (part !== '') open = open === undefined ? { at, text: part } : { at: open.at, text: open.text + part };
    }
  }
  close();
  return lines;
}

/** Returns the text without its ANSI sequences. */
export function plain(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/\u001b\[[0-9;:?]*[ -/]*[@-~]/g, '');
}
