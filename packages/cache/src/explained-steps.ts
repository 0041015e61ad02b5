import { join } from 'node:path';
import type { KeyParts } from '@tbuild/solver';
import { listDirectory, readWords, type StoreLayout } from '@tbuild/store';

/** The parts of a step's key when it ran last. The file has zero-terminated words: the name, the key, then the parts in pairs. */
export interface Explanation {
  readonly name: string;
  readonly key: string;
  readonly parts: KeyParts;
}

/** Yields the text of the file. */
export function* encodeExplanation(name: string, key: string, parts: KeyParts): Generator<string, void> {
  yield `${name}\0${key}\0`;
  for (const [part, value] of parts) yield `${part}\0${value}\0`;
}

/** Returns undefined when the file is missing or damaged. */
export function readExplanation(file: string): Explanation | undefined {
  const words = readWords(file);
  const [name, key] = [words?.next().value, words?.next().value];
  return words && name && key ? { name, key, parts: inPairs(words) } : undefined;
}

/** A step of a store that has an explanation. */
export interface ExplainedStep {
  /** The file of the explanation. */
  readonly path: string;
  readonly name: string;
  /** The key of the step's last run. */
  readonly key: string;
}

/** Yields every step of the store that has an explanation. */
export function* explainedSteps({ explain }: Pick<StoreLayout, 'explain'>): Generator<ExplainedStep, void> {
  for (const scope of listDirectory(explain)) {
    for (const file of listDirectory(join(explain, scope))) {
      const path = join(explain, scope, file);
      const known = readExplanation(path);
      if (known !== undefined) yield { path, name: known.name, key: known.key };
    }
  }
}

function* inPairs(words: Iterator<string>): Generator<readonly [string, string], void> {
  for (let name = words.next(); name.done !== true; name = words.next()) {
    const value = words.next();
    if (value.done !== true) yield [name.value, value.value];
  }
}
