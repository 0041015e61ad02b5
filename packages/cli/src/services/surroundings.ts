import type { Surroundings } from '@tbuild/exporter';
import { dockerHost } from '../config/docker-context.ts';
import type { Environment } from '../config/environment.ts';
import { openDestination } from './open-destination.ts';
import { runProgram } from './run-program.ts';

/** Returns what outputs need of this process and its user. */
export function surroundingsOf(env: Environment): Surroundings {
  return {
    owner: env.owner,
    openDestination: (path) => openDestination(path, env),
    dockerHost: (context) => dockerHost(context, env),
    runProgram: (args, options) => runProgram(args, options, env),
  };
}
