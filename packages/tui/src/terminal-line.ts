// oxlint-disable no-control-regex -- terminal output is about control characters

/** Matches CSI, OSC, the other string sequences and two-character escapes; unterminated ones to the end. */
const ESCAPES =
  /\x1b(?:\[[0-?]*[ -/]*[@-~]?|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-~]?)|\x9b[0-?]*[ -/]*[@-~]?/g;
const COLOUR = /^\x1b\[[0-9;:]*m$/;
const COLOURS = /\x1b\[[0-9;:]*m/g;
const RESET = /^\x1b\[0?m$/;
const ERASE_LINE = /\x1b\[[012]?K/;
const CONTROLS = /[\0-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]/g;
/** The characters that begin a sequence. */
const SPECIAL = /[\0-\x08\x0b-\x1f\x7f-\x9f]/;
const ERASED_CHARACTER = /[^\x08]\x08/g;

/**
 * Returns what a terminal would show of one line of a program's output: text after a carriage return overwrites, a
 * backspace erases. Of escape sequences only colours remain, closed at the end, so that the line cannot move the cursor
 * or change the terminal.
 */
export function terminalLine(raw: string): string {
  if (!SPECIAL.test(raw)) return raw;
  const line = raw.replace(/\r+$/, '');
  const shown = line.includes('\r') ? overwrite(line.split('\r')) : clean(line);
  const last = shown.match(COLOURS)?.at(-1);
  return last === undefined || RESET.test(last) ? shown : `${shown}\x1b[0m`;
}

/** Returns the text without colours. */
export function withoutColours(line: string): string {
  return line.replace(COLOURS, '');
}

/** Applies carriage returns and backspaces. Drops colours, whose bytes have no width and cannot be overwritten. */
function overwrite(segments: readonly string[]): string {
  return segments.reduce((before, segment) => {
    const text = withoutColours(clean(segment));
    return ERASE_LINE.test(segment) ? text : text + before.slice(text.length);
  }, '');
}

function clean(text: string): string {
  let cleaned = text.replace(ESCAPES, (sequence) => (COLOUR.test(sequence) ? sequence : ''));
  while (ERASED_CHARACTER.test(cleaned)) cleaned = cleaned.replace(ERASED_CHARACTER, '');
  return cleaned.replace(CONTROLS, '');
}
