import type { Surroundings } from '@tbuild/exporter';
import type { Environment } from '../config/environment.ts';
import { chosenDocker, programsOf } from './engines.ts';
import { openDestination } from './open-destination.ts';

/** Returns what outputs need of this process and its user. */
export function surroundingsOf(env: Environment): Surroundings {
  return {
    owner: env.owner,
    openDestination: (path) => openDestination(path, env),
    dockerAddress: (context) => chosenDocker(context, env),
    engineName: env.variables.TBUILD_LOAD_INTO || undefined,
    programs: programsOf(env),
  };
}
