/**
 * An immutable list that is replaced by a longer one. Lists share their items, so that appending to the newest list costs
 * the same for any length.
 */
export class GrowingList<T> implements Iterable<T> {
  readonly length: number;
  readonly #shared: T[];

  constructor(items: T[] = []) {
    this.#shared = items;
    this.length = items.length;
  }

  append(item: T): GrowingList<T> {
    const items = this.#shared.length === this.length ? this.#shared : this.toArray();
    items.push(item);
    return new GrowingList(items);
  }

  toArray(): T[] {
    return this.#shared.slice(0, this.length);
  }

  [Symbol.iterator](): Iterator<T> {
    return this.toArray()[Symbol.iterator]();
  }
}

/** Immutable values by name, shared as in {@link GrowingList}. */
export class GrowingMap<V> {
  readonly length: number;
  readonly #names: string[];
  readonly #values: V[];
  /** The positions at which each name was set, in order. */
  readonly #places: Map<string, number[]>;

  private constructor(names: string[], values: V[], places: Map<string, number[]>) {
    this.#names = names;
    this.#values = values;
    this.#places = places;
    this.length = names.length;
  }

  static of<V>(entries: Iterable<readonly [string, V]>): GrowingMap<V> {
    const [names, values, places]: [string[], V[], Map<string, number[]>] = [[], [], new Map()];
    for (const [name, value] of entries) push(name, value, { names, values, places });
    return new GrowingMap(names, values, places);
  }

  set(name: string, value: V): GrowingMap<V> {
    if (this.#names.length !== this.length) return GrowingMap.of([...this.#all(), [name, value]]);
    push(name, value, { names: this.#names, values: this.#values, places: this.#places });
    return new GrowingMap(this.#names, this.#values, this.#places);
  }

  get(name: string): V | undefined {
    const at = this.#placeOf(name);
    return at === undefined ? undefined : this.#values[at];
  }

  /** Iterates the names without duplicates, in the order in which they were first set. */
  byFirst(): [string, V][] {
    return [...new Map(this.#all())];
  }

  /** Iterates the names without duplicates, in the order in which their values were last set. */
  byLast(): [string, V][] {
    return this.#all().filter(([name], at) => this.#placeOf(name) === at);
  }

  #placeOf(name: string): number | undefined {
    return this.#places.get(name)?.findLast((place) => place < this.length);
  }

  #all(): [string, V][] {
    return this.#names.slice(0, this.length).map((name, at) => [name, this.#values[at] as V]);
  }
}

interface Shared<V> {
  readonly names: string[];
  readonly values: V[];
  readonly places: Map<string, number[]>;
}

function push<V>(name: string, value: V, { names, values, places }: Shared<V>): void {
  const known = places.get(name);
  if (known === undefined) places.set(name, [names.length]);
  else known.push(names.length);
  names.push(name);
  values.push(value);
}
