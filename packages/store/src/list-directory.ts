import { readdirSync } from 'node:fs';
import { errnoName } from '@tbuild/errors';

/** Returns the names in a directory of the store, or none when it does not exist. */
export function listDirectory(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return [];
    throw error;
  }
}
