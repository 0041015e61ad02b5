import { runCase, type Case, type CaseOptions } from './run-case.ts';

/** Returns the failing case with as few operations as still make it fail, dropping ever smaller parts of its plan. */
export async function shrinkCase(failing: Case, operations: number, options: CaseOptions): Promise<Case> {
  let kept = failing.keep ?? Array.from({ length: operations }, (_, index) => index);
  for (let part = Math.ceil(kept.length / 2); part >= 1 && kept.length > 1; part = Math.floor(part / 2)) {
    for (let at = 0; at < kept.length && kept.length > 1;) {
      if (options.signal?.aborted) return { ...failing, keep: kept };
      const fewer = kept.toSpliced(at, part);
      const stillFails =
        fewer.length > 0 && (await runCase({ ...failing, keep: fewer }, options)).failure !== undefined;
      if (stillFails) kept = fewer;
      else at += part;
    }
  }
  return { ...failing, keep: kept };
}
