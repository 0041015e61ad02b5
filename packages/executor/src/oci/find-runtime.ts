import { findTool } from '../machine/tools.ts';

/** Fastest first. */
const RUNTIMES = ['crun', 'runc', 'youki'];

/** The path of an OCI runtime, if there is one. */
export function findRuntime(): string | undefined {
  return RUNTIMES.map(findTool).find((path) => path !== undefined);
}
