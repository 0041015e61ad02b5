import {
  appendFileSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../../support/random.ts';

export interface Mutated {
  readonly path: string;
  /** Other files of the same kind. */
  readonly others: readonly string[];
  /** The same file in a store before the last build, if it was there. */
  readonly old?: string;
}

/** Damages a file. Returns false when this file cannot be damaged so. */
export type Mutation = (mutated: Mutated, random: Random) => boolean;

/** What can befall a file of the store, by name. */
export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  flip({ path }, random) {
    const bytes = readFileSync(path);
    if (bytes.length === 0) return false;
    const at = random.int(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.int(8));
    writeFileSync(path, bytes);
    return true;
  },
  truncate({ path }, random) {
    const { size } = lstatSync(path);
    if (size < 2) return false;
    truncateSync(path, 1 + random.int(size - 1));
    return true;
  },
  grow({ path }, random) {
    appendFileSync(path, Buffer.alloc(1 + random.int(100), random.int(256)));
    return true;
  },
  empty({ path }) {
    if (lstatSync(path).size === 0) return false;
    truncateSync(path);
    return true;
  },
  directory({ path }) {
    rmSync(path);
    mkdirSync(join(path, 'inside'), { recursive: true });
    return true;
  },
  symlink({ path }, random) {
    rmSync(path);
    symlinkSync(random.pick(['nothing', '/etc/hostname', '.']), path);
    return true;
  },
  'another file'({ path, others }, random) {
    const differing = others.filter((other) => !readFileSync(other).equals(readFileSync(path)));
    return differing.length > 0 && replace(path, random.pick(differing));
  },
  'old version': ({ path, old }) =>
    old !== undefined && !readFileSync(old).equals(readFileSync(path)) && replace(path, old),
};

function replace(path: string, by: string): boolean {
  writeFileSync(path, readFileSync(by));
  return true;
}
