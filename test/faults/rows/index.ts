import type { FaultRow } from '../fault-row.ts';
import { row as concurrency } from './concurrency.ts';
import { row as corruption } from './corruption.ts';
import { row as disk } from './disk.ts';
import { row as errors } from './errors.ts';
import { row as gitStreams } from './git-streams.ts';
import { row as git } from './git.ts';
import { row as hostile } from './hostile.ts';
import { row as input } from './input.ts';
import { row as kill } from './kill.ts';
import { row as load } from './load.ts';
import { row as network } from './network.ts';
import { row as power } from './power.ts';

export const rows: readonly FaultRow[] = [
  kill,
  power,
  disk,
  errors,
  corruption,
  hostile,
  input,
  network,
  git,
  gitStreams,
  concurrency,
  load,
];
