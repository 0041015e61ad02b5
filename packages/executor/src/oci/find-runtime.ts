import { accessSync, constants } from 'node:fs';
import { TOOL_ENVIRONMENT } from '../tools.ts';

/** Fastest first. */
const RUNTIMES = ['crun', 'runc', 'youki'];

/** The path of an OCI runtime, if there is one. */
export function findRuntime(): string | undefined {
  const candidates = RUNTIMES.flatMap((name) =>
    TOOL_ENVIRONMENT.PATH.split(':').map((directory) => `${directory}/${name}`),
  );
  return candidates.find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
