import { arch, release } from 'node:os';
import { VERSION } from '../startup/version.ts';

/** What a report of a defect needs besides the stack. */
export function describeProgram(): string {
  return `tbuild ${VERSION}, Node ${process.version}, Linux ${release()} ${arch()}`;
}
