import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ruleNames } from '@tbuild/dockerfile';
import { familiarReference } from '@tbuild/oci';
import type { Environment } from '../config/environment.ts';
import { storeRoot } from '../config/store-root.ts';
import { createServices } from '../services/create-services.ts';
import type { Candidate, ValueKind } from './candidates.ts';

type Given = ReadonlyMap<string, string>;

/** Returns the values that the store or the Dockerfile at hand offers. What cannot be read offers none. */
export async function valuesThere(kind: ValueKind, given: Given, env: Environment): Promise<readonly Candidate[]> {
  try {
    return await READERS[kind](given, env);
  } catch {
    return [];
  }
}

type Reader = (given: Given, env: Environment) => readonly Candidate[] | Promise<readonly Candidate[]>;

const READERS: Readonly<Record<ValueKind, Reader>> = {
  image: (given, env) => {
    const { refs } = createServices({ root: storeRoot(given.get('root'), env) }, env);
    return refs.list().map(({ reference }) => ({ word: familiarReference(reference) }));
  },
  target: (given, env) => names(dockerfileText(given, env), /^[ \t]*FROM[ \t].*[ \t]AS[ \t]+(\S+)/gim),
  'build-arg': (given, env) =>
    names(dockerfileText(given, env), /^[ \t]*ARG[ \t]+(\w+)/gim).map(({ word }) => ({ word: `${word}=` })),
  rule: () => ruleNames().map((word) => ({ word })),
  'bake-target': async (given, env) => (await import('../bake/bake-names.ts')).bakeTargets(given.get('file'), env),
  'bake-variable': async (given, env) => (await import('../bake/bake-names.ts')).bakeVariables(given.get('file'), env),
  override: async (given, env) => (await import('../bake/bake-names.ts')).bakeOverrides(given.get('file'), env),
};

/** Finds names without parsing, since a Dockerfile that somebody edits may be wrong. */
function names(text: string, pattern: RegExp): readonly Candidate[] {
  const found = [...text.matchAll(pattern)].map(([, name = '']) => name);
  return [...new Set(found)].map((word) => ({ word }));
}

function dockerfileText(given: Given, { cwd }: Environment): string {
  const file = given.get('file');
  return readFileSync(resolve(cwd, file ?? join(given.get('') ?? '.', 'Dockerfile')), 'utf8');
}
