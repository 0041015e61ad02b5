import { findTool } from '../machine/tools.ts';

/** Fastest first. */
const RUNTIMES = ['crun', 'runc', 'youki'];

/** Returns the path of an OCI runtime, if one is installed. */
export function findRuntime(): string | undefined {
  return RUNTIMES.map(findTool).find((path) => path !== undefined);
}
