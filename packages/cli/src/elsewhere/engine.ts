import { delimiter, join } from 'node:path';
import { isProgram } from '../config/is-program.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** Lima runs nerdctl in its machine. */
const ENGINES: readonly (readonly string[])[] = [['docker'], ['podman'], ['nerdctl'], ['lima', 'nerdctl']];

/** Returns the command of the engine that `TBUILD_ENGINE` names, or of the first one that is installed. */
export function findEngine({ TBUILD_ENGINE: named = '', PATH = '' }: Variables): readonly string[] | undefined {
  if (named !== '') return ENGINES.find(([program]) => program === named) ?? [named];
  const directories = PATH.split(delimiter);
  return ENGINES.find(([program = '']) => directories.some((one) => isProgram(join(one, program))));
}
