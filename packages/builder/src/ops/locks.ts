/** Locks by name inside one build. */
export interface Locks {
  /** Waits until nobody holds the lock and takes it; the function returned gives it back. */
  acquire(name: string): Promise<() => void>;
}

export function createLocks(): Locks {
  const tails = new Map<string, Promise<void>>();
  return {
    async acquire(name) {
      const before = tails.get(name);
      let release = (): void => {};
      tails.set(name, new Promise((resolve) => (release = resolve)));
      await before;
      return release;
    },
  };
}
