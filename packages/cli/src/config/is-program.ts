import { accessSync, constants } from 'node:fs';

/** Returns whether a file may be executed. */
export function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
