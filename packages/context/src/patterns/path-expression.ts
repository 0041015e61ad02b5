/** A compiled pattern for paths. */
export interface PathExpression {
  /** Reports whether the whole path matches. Its time is at most proportional to the path's length times the pattern's. */
  test(path: string): boolean;
}

/** With so many repetitions, the time of backtracking is at most quadratic in the path's length. */
const MOST_REPETITIONS = 2;
/** V8's own limit is far higher. */
const LONGEST_COMPILED = 4096;

/**
 * Compiles a regular expression, anchored at both ends, of the few forms that patterns for paths translate to: characters, escapes
 * and classes, each alone or with `*`, `^`, and `(.*` + `/)?`.
 *
 * V8 matches by backtracking, whose time is exponential in the number of repetitions. An expression with more than two therefore runs
 * as a set of states, one step for each character of the path.
 */
export function compilePathExpression(source: string, flags: string): PathExpression {
  const isUnicode = flags.includes('u');
  const parts = partsOf(source, isUnicode);
  const repetitions = parts.filter(({ kind }) => kind === 'repeated' || kind === 'directories').length;
  if (repetitions <= MOST_REPETITIONS && source.length <= LONGEST_COMPILED) return new RegExp(`^${source}$`, flags);
  const states = parts.map((part) => ({ kind: part.kind, accepts: compileAtom(part.atom, flags) }));
  return { test: (path) => runStates(states, isUnicode ? path : path.split('')) };
}

/** `directories` matches any number of whole elements, each with its slash. `start` matches the beginning of the path. */
type Kind = 'once' | 'repeated' | 'directories' | 'start';

interface Part {
  readonly kind: Kind;
  readonly atom: string;
}

const PART =
  /(?<directories>\(\.\*\/\)\?)|(?<start>\^)|(?<atom>\[(?:\\.|[^\]\\])*\]|\\u\{[0-9a-f]+\}|\\x[0-9a-fA-F]{2}|\\.|.)(?<repeated>\*?)/gs;

function partsOf(source: string, isUnicode: boolean): readonly Part[] {
  return Array.from(source.matchAll(isUnicode ? new RegExp(PART, 'gsu') : PART), ({ groups = {} }): Part => {
    if (groups.directories !== undefined) return { kind: 'directories', atom: '.' };
    if (groups.start !== undefined) return { kind: 'start', atom: '' };
    return { kind: groups.repeated === '*' ? 'repeated' : 'once', atom: groups.atom ?? '' };
  });
}

type Accepts = (character: string) => boolean;

function compileAtom(atom: string, flags: string): Accepts {
  if (/^(?:\\[bB]|\$)$/u.test(atom)) throw new Error(`${atom} matches no character`);
  if (!/^[.[\\]/u.test(atom)) return (character) => character === atom;
  const expression = new RegExp(`^${atom}$`, flags);
  return (character) => expression.test(character);
}

interface State {
  readonly kind: Kind;
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
function runStates(states: readonly State[], path: Iterable<string>): boolean {
  let [current, next] = [new StateSet(2 * states.length + 2), new StateSet(2 * states.length + 2)];
  enter({ states, set: current }, 0, { atStart: true });
  for (const character of path) {
    next.clear();
    const entering = { states, set: next };
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
}

/** Adds the state before a part, and before those after it while they may match nothing. */
function enter({ states, set }: Entering, from: number, { atStart = false } = {}): void {
  for (let index = from; !set.has(2 * index); index++) {
    set.add(2 * index);
    const kind = states[index]?.kind ?? 'once';
    if (kind === 'directories') set.add(2 * index + 1);
    if (kind === 'once' || (kind === 'start' && !atStart)) return;
  }
}

function step(next: Entering, at: number, character: string): void {
  const index = at >> 1;
  const state = next.states[index];
  if (state === undefined) return;
  const isInside = at % 2 === 1;
  if (state.kind === 'start' || (state.kind === 'directories' && !isInside)) return;
  if (isInside && character === '/') enter(next, index + 1);
  if (!state.accepts(character)) return;
  if (isInside) next.set.add(at);
  else enter(next, state.kind === 'repeated' ? index : index + 1);
}
