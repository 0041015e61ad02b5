import { arch, release } from 'node:os';
import { VERSION } from '../startup/version.ts';

/** Returns what a bug report needs besides the stack. */
export function describeProgram(): string {
  return `tbuild ${VERSION}, Node ${process.version}, Linux ${release()} ${arch()}`;
}
