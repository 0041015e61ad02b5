/** One element of a pattern: a character, `?` or `*`. */
type Element = { readonly literal: string } | 'one' | 'run';

/** A pattern of `${name#pattern}` and similar: characters, `?`, `*`; no brackets. */
export type ShellPattern = readonly Element[];

/**
 * Parses a pattern. `\*`, `\?` and `\\` are literal. Before `}` and `/` the backslash only kept the expansion from
 * ending. Returns the offending escape of a pattern that Docker refuses.
 */
export function parsePattern(text: string): ShellPattern | { readonly invalidEscape: string } {
  const elements: Element[] = [];
  const characters = Array.from(text);
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? '';
    if (character === '*') elements.push('run');
    else if (character === '?') elements.push('one');
    else if (character !== '\\') elements.push({ literal: character });
    else {
      const escaped = characters[at + 1] ?? '';
      if (escaped === '}' || escaped === '/') continue;
      if (!['*', '?', '\\'].includes(escaped)) return { invalidEscape: `\\${escaped}` };
      elements.push({ literal: escaped });
      at++;
    }
  }
  return elements;
}

/** Removes the shortest (or longest) prefix that matches. */
export function trimPrefix(pattern: ShellPattern, value: string, longest: boolean): string {
  const characters = Array.from(value);
  const length = matchLength(pattern, characters, { from: 0, longest });
  return length === undefined ? value : characters.slice(length).join('');
}

/** Removes the shortest (or longest) suffix that matches. */
export function trimSuffix(pattern: ShellPattern, value: string, longest: boolean): string {
  const characters = Array.from(value).reverse();
  const length = matchLength(pattern.toReversed(), characters, { from: 0, longest });
  return length === undefined ? value : characters.slice(length).reverse().join('');
}

/** Replaces the first match (or all matches). At each position the longest match counts. */
export function replacePattern(
  pattern: ShellPattern,
  value: string,
  options: { readonly replacement: string; readonly all: boolean },
): string {
  const characters = Array.from(value);
  const starts = matchStarts(pattern, characters);
  let result = '';
  let lastMatchEnd = -1;
  for (let at = 0; at <= characters.length;) {
    const length = starts[at] === 1 ? matchLength(pattern, characters, { from: at, longest: true }) : undefined;
    // An empty match directly after a match does not count.
    const counts = length !== undefined && (length > 0 || at !== lastMatchEnd);
    if (counts) {
      result += options.replacement;
      lastMatchEnd = at + length;
      if (!options.all) return result + characters.slice(lastMatchEnd).join('');
    }
    const taken = counts ? length : 0;
    if (taken === 0) result += characters[at] ?? '';
    at += Math.max(1, taken);
  }
  return result;
}

function accepts(element: Element | undefined, character: string): boolean {
  if (element === undefined) return false;
  // As in Docker's translation to a regular expression, wildcards stop at line breaks.
  return typeof element === 'string' ? character !== '\n' : element.literal === character;
}

/** Returns the number of matching characters from `from` on. Follows all possibilities at once, without backtracking. */
function matchLength(
  pattern: ShellPattern,
  characters: readonly string[],
  options: { readonly from: number; readonly longest: boolean },
): number | undefined {
  let found: number | undefined;
  let states = closure(pattern, new Set([0]));
  for (let at = options.from; ; at++) {
    if (states.has(pattern.length)) {
      found = at - options.from;
      if (!options.longest) return found;
    }
    const character = characters[at];
    if (character === undefined || states.size === 0) return found;
    const next = new Set<number>();
    for (const state of states) {
      if (accepts(pattern[state], character)) next.add(pattern[state] === 'run' ? state : state + 1);
    }
    states = closure(pattern, next);
  }
}

/** Adds the states that are reached if each `*` matches nothing. */
function closure(pattern: ShellPattern, states: Set<number>): Set<number> {
  for (const state of states) if (pattern[state] === 'run') states.add(state + 1);
  return states;
}

/** Decides for each position whether a match starts there, in one pass from the end. */
function matchStarts(pattern: ShellPattern, characters: readonly string[]): Uint8Array {
  const starts = new Uint8Array(characters.length + 1);
  let after = new Uint8Array(pattern.length + 1);
  for (let at = characters.length; at >= 0; at--) {
    const here = new Uint8Array(pattern.length + 1);
    here[pattern.length] = 1;
    const character = characters[at];
    for (let state = pattern.length - 1; state >= 0; state--) {
      const element = pattern[state];
      const consumed = character !== undefined && accepts(element, character);
      const run = element === 'run';
      if (run && here[state + 1] === 1) here[state] = 1;
      else if (consumed) here[state] = after[run ? state : state + 1] ?? 0;
    }
    starts[at] = here[0] ?? 0;
    after = here;
  }
  return starts;
}
