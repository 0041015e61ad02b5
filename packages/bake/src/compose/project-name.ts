import { parseDocument } from 'yaml';
import type { BakeFile } from '../source.ts';
import { interpolate, type Lookup } from './interpolate.ts';

const VARIABLE = 'COMPOSE_PROJECT_NAME';

/** Returns a lookup that also knows the name of the project: that of the files, of the environment, or "bake". */
export function withProjectName(files: readonly BakeFile[], lookup: Lookup): Lookup {
  const given = (): string | undefined => {
    const names = files.map(({ text }): unknown => parseDocument(text, { logLevel: 'silent' }).get('name'));
    const name = names.findLast((one) => typeof one === 'string' && one !== '');
    return typeof name === 'string' ? normalName(interpolate(name, lookup)) : undefined;
  };
  return (name) => (name === VARIABLE ? (given() ?? (lookup(VARIABLE) || 'bake')) : lookup(name));
}

/** A project's name has small letters, digits, "-" and "_", and begins with a letter or digit. */
function normalName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^-_a-z0-9]/g, '')
    .replace(/^[-_]+/, '');
}
