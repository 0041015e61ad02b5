import type { BuildRun } from '@tbuild/builder';
import type { Environment } from '../config/environment.ts';

/** What a call may tell while it goes on. */
export type CallRun = Pick<BuildRun, 'progress' | 'onDefinition'>;

/** Something that a program may ask for; gives plain data. */
export type Call = (argument: unknown, env: Environment, run: CallRun) => Promise<unknown>;
