/** A compiled pattern for paths. */
export interface PathExpression {
  /** Reports whether the whole path matches. Its time is at most proportional to the path's length times the pattern's. */
  test(path: string): boolean;
}

/** With so many repetitions, the time of backtracking is at most quadratic in the path's length. */
const MOST_REPETITIONS = 2;
/** V8's own limit is far higher. */
const LONGEST_COMPILED = 4096;

/** `directories` matches any number of whole elements, each with its slash. An assertion matches no character. */
type Kind = 'once' | 'repeated' | 'directories' | 'assertion';

/** A part of an expression. */
export interface Part {
  readonly kind: Kind;
  /** One character, escape or class of JavaScript's regular expressions with the flag `v`, or one of {@link ASSERTIONS}. */
  readonly atom: string;
}

/**
 * Compiles an expression that whole paths have to match.
 *
 * V8 matches by backtracking, whose time is exponential in the number of repetitions. An expression with more than two therefore runs
 * as a set of states, one step for each character of the path.
 */
export function compilePathExpression(parts: readonly Part[]): PathExpression {
  const repetitions = parts.filter(({ kind }) => kind === 'repeated' || kind === 'directories').length;
  const source = parts.map(sourceOf).join('');
  if (repetitions <= MOST_REPETITIONS && source.length <= LONGEST_COMPILED) return new RegExp(`^${source}$`, 'v');
  const states = parts.map(({ kind, atom }) => ({ kind, atom, accepts: compileAtom(atom) }));
  return { test: (path) => runStates(states, [...path]) };
}

function sourceOf({ kind, atom }: Part): string {
  if (kind === 'directories') return `(?:${atom}*/)?`;
  return kind === 'repeated' ? `${atom}*` : atom;
}

/** The atom of any character. V8 of Node 20 takes `[^]*` with the flag `v` for something else. */
export const ANY_CHARACTER = String.raw`[\0-\u{10ffff}]`;

/** Returns the atom of a character. */
export function quote(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/u, String.raw`\$&`);
}

type Accepts = (character: string) => boolean;

function compileAtom(atom: string): Accepts {
  if (!/^[[\\]/u.test(atom)) return (character) => character === atom;
  const expression = new RegExp(`^${atom}$`, 'v');
  return (character) => expression.test(character);
}

/** A place in a path: the characters on both sides, undefined at its ends. */
interface Place {
  readonly before?: string;
  readonly after?: string;
}

const ASSERTIONS: Readonly<Record<string, (place: Place) => boolean>> = {
  '^': ({ before }) => before === undefined,
  $: ({ after }) => after === undefined,
  '\\b': isBoundary,
  '\\B': (place) => !isBoundary(place),
};

function isBoundary({ before = '', after = '' }: Place): boolean {
  return /\w/.test(before) !== /\w/.test(after);
}

interface State extends Part {
  readonly accepts: Accepts;
}

/** The states that the path so far may be in, each once, in the order in which they were reached. */
class StateSet {
  readonly list: number[] = [];
  readonly #seen: Uint8Array;

  constructor(size: number) {
    this.#seen = new Uint8Array(size);
  }

  has(state: number): boolean {
    return this.#seen[state] === 1;
  }

  add(state: number): void {
    if (this.#seen[state] === 1) return;
    this.#seen[state] = 1;
    this.list.push(state);
  }

  clear(): void {
    for (const state of this.list) this.#seen[state] = 0;
    this.list.length = 0;
  }
}

/** Each part has two states: before it, and inside `directories`. */
function runStates(states: readonly State[], path: readonly string[]): boolean {
  let [current, next] = [new StateSet(2 * states.length + 2), new StateSet(2 * states.length + 2)];
  enter({ states, set: current, place: { after: path[0] } }, 0);
  for (const [index, character] of path.entries()) {
    next.clear();
    const entering = { states, set: next, place: { before: character, after: path[index + 1] } };
    for (const at of current.list) step(entering, at, character);
    [current, next] = [next, current];
    if (current.list.length === 0) return false;
  }
  return current.has(2 * states.length);
}

/** A set that states are added to. */
interface Entering {
  readonly states: readonly State[];
  readonly set: StateSet;
  readonly place: Place;
}

/** Adds the state before a part, and before those after it while they may match nothing. */
function enter({ states, set, place }: Entering, from: number): void {
  for (let index = from; !set.has(2 * index); index++) {
    set.add(2 * index);
    const { kind, atom } = states[index] ?? { kind: 'once', atom: '' };
    if (kind === 'directories') set.add(2 * index + 1);
    if (kind === 'once' || (kind === 'assertion' && !ASSERTIONS[atom]?.(place))) return;
  }
}

function step(next: Entering, at: number, character: string): void {
  const index = at >> 1;
  const state = next.states[index];
  if (state === undefined) return;
  const isInside = at % 2 === 1;
  if (state.kind === 'assertion' || (state.kind === 'directories' && !isInside)) return;
  if (isInside && character === '/') enter(next, index + 1);
  if (!state.accepts(character)) return;
  if (isInside) next.set.add(at);
  else enter(next, state.kind === 'repeated' ? index : index + 1);
}
