import { RegistryError } from './registry-error.ts';
import type { Repository } from './repository.ts';

/**
 * A repository that is read from its copies first, in order, and from itself when they have not what is
 * asked for or cannot be reached; then what it throws itself is thrown. Writing, and what goes with
 * it (`has`), is a matter of the repository itself.
 */
export function mirrored(origin: Repository, copies: readonly Repository[]): Repository {
  let all = [...copies, origin];
  const firstOf = async <T>(ask: (one: Repository) => Promise<T | undefined>): Promise<T | undefined> => {
    for (const one of all) {
      try {
        const answer = await ask(one);
        if (answer !== undefined) return answer;
      } catch (error) {
        if (one === origin || !(error instanceof RegistryError)) throw error;
        // Without a status it was not reached, and each further attempt would cost a timeout.
        if (error.status === undefined) all = all.filter((other) => other !== one);
      }
    }
    return undefined;
  };
  return {
    ...origin,
    resolve: (tagOrDigest, signal) => required(firstOf((one) => one.resolve(tagOrDigest, signal))),
    readManifest: (target, signal) => required(firstOf((one) => one.readManifest(target, signal))),
    read: (target, signal) => required(firstOf(async (one) => started(await one.read(target, signal)))),
  };
}

async function required<T>(answer: Promise<T | undefined>): Promise<T> {
  const value = await answer;
  if (value === undefined) throw new Error('No repository answered');
  return value;
}

// A download fails with its first bytes or goes on: so it is begun before a copy is settled for.
async function started(source: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const iterator = source[Symbol.asyncIterator]();
  const first = await iterator.next();
  return (async function* () {
    try {
      for (let step = first; !step.done; step = await iterator.next()) yield step.value;
    } finally {
      await iterator.return?.();
    }
  })();
}
