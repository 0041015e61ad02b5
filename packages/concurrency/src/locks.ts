/** Exclusive use of names within this process. */
export interface Locks {
  /** Waits until all names are free and takes them. */
  acquire(names: readonly string[]): Promise<Disposable>;
}

/** Takes names in one order, so that two callers that want the same names never wait for each other. */
export function createLocks(): Locks {
  const held = new Map<string, Promise<void>>();
  return {
    async acquire(names) {
      const taken: (() => void)[] = [];
      for (const name of [...new Set(names)].sort()) {
        while (held.has(name)) await held.get(name);
        let release = (): void => {};
        held.set(name, new Promise((resolve) => void (release = resolve)));
        taken.push(() => {
          held.delete(name);
          release();
        });
      }
      return { [Symbol.dispose]: () => taken.forEach((release) => release()) };
    },
  };
}
