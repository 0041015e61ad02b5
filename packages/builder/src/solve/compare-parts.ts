import type { KeyParts } from '@tbuild/solver';

/** A difference between two keys. `before` or `now` is undefined for a part that one of them lacks. */
export interface PartChange {
  readonly name: string;
  readonly before?: string;
  readonly now?: string;
}

/** The parts of a key. Iterating compares them with those of another key. */
export interface ComparedParts extends KeyParts {
  /** The changes, in the order of the new parts, then the old ones. Complete after the iteration. */
  readonly changes: readonly PartChange[];
}

/**
 * Compares two lists in parallel. Keeps only names without a partner so far, so that comparing a hundred thousand files
 * takes little memory. The lists need not be sorted.
 */
export function compareParts(before: KeyParts, now: KeyParts): ComparedParts {
  const changes: PartChange[] = [];
  return {
    changes,
    *[Symbol.iterator]() {
      const [older, newer] = [new Map<string, string>(), new Map<string, string>()];
      const old = before[Symbol.iterator]();
      const match = (name: string, was: string, is: string): void => {
        if (was !== is) changes.push({ name, before: was, now: is });
      };
      const takeOld = (): boolean => {
        const next = old.next();
        if (next.done === true) return false;
        const [name, value] = next.value;
        const partner = newer.get(name);
        if (partner === undefined) older.set(name, value);
        else match(name, value, partner);
        newer.delete(name);
        return true;
      };
      for (const part of now) {
        const [name, value] = part;
        newer.set(name, value);
        takeOld();
        const partner = older.get(name);
        if (partner !== undefined && newer.delete(name)) match(name, partner, value);
        older.delete(name);
        yield part;
      }
      while (takeOld());
      for (const [name, value] of newer) changes.push({ name, now: value });
      for (const [name, value] of older) changes.push({ name, before: value });
    },
  };
}
