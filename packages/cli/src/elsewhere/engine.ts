import { delimiter, join } from 'node:path';
import { isProgram } from '../config/is-program.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** Lima runs nerdctl in its machine. */
const ENGINES: Readonly<Record<string, readonly string[]>> = {
  docker: ['docker'],
  podman: ['podman'],
  nerdctl: ['nerdctl'],
  lima: ['lima', 'nerdctl'],
};

/** Returns the command of the engine that `TBUILD_ENGINE` names, or of the first one that is installed. */
export function findEngine({ TBUILD_ENGINE: named = '', PATH = '' }: Variables): readonly string[] | undefined {
  if (named !== '') return ENGINES[named] ?? [named];
  const directories = PATH.split(delimiter);
  return Object.values(ENGINES).find(([program = '']) => directories.some((one) => isProgram(join(one, program))));
}
