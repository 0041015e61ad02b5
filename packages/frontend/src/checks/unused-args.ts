import type { Dockerfile } from '@tbuild/dockerfile';
import { suggest } from '@tbuild/errors';
import type { Plan } from '../plan.ts';

/** Arguments that mean something without an ARG. */
const PREDEFINED =
  /^(?:(?:https?|ftp|no|all)_proxy|BUILDKIT_\w+|(?:BUILD|TARGET)(?:PLATFORM|OS|OSVERSION|ARCH|VARIANT|STAGE)|SOURCE_DATE_EPOCH)$/i;

/** Returns a warning for each build argument that no ARG of the file, or of the triggers of its bases, declares. */
export function unusedArgs(
  dockerfile: Dockerfile,
  plans: readonly Plan[],
  buildArgs: Readonly<Record<string, string>>,
): readonly string[] {
  const given = Object.keys(buildArgs).filter((name) => !PREDEFINED.test(name));
  if (given.length === 0) return [];
  const inFile = [...dockerfile.globalArgs, ...dockerfile.stages.flatMap(({ instructions }) => instructions)].flatMap(
    (instruction) => (instruction.kind === 'arg' ? instruction.args.map(({ key }) => key.text) : []),
  );
  const declared = new Set([...inFile, ...plans.flatMap(({ declaredArgs }) => declaredArgs.map(({ name }) => name))]);
  return given
    .filter((name) => !declared.has(name))
    .map((name) => {
      const near = suggest(name, declared);
      const meant = near === undefined ? '' : `. Did you mean ${near}?`;
      return `Build argument ${JSON.stringify(name)} is not used: no ARG declares it${meant}`;
    });
}
