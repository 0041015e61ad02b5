import { readdirSync } from 'node:fs';
import { errnoName } from '@tbuild/errors';

/** What a directory of the store holds; nothing when it is not there, or no longer. */
export function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return [];
    throw error;
  }
}
