import type { BuildRun } from '@tbuild/builder';
import type { Environment } from '../config/environment.ts';

/** What a call may report while it runs. */
export type CallRun = Pick<BuildRun, 'progress' | 'onDefinition'>;

/** A call that a program may make; returns plain data. */
export type Call = (argument: unknown, env: Environment, run: CallRun) => Promise<unknown>;
