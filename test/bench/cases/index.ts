import type { BenchCase } from '../case.ts';
import { archive } from './archive.ts';
import { bakedTargets } from './baked-targets.ts';
import { cacheExport } from './cache-export.ts';
import { cachedSteps } from './cached-steps.ts';
import { ciJob } from './ci-job.ts';
import { eightStages } from './eight-stages.ts';
import { emulated } from './emulated.ts';
import { ignoredFiles } from './ignored-files.ts';
import { isolations } from './isolations.ts';
import { loading } from './loading.ts';
import { manyFiles } from './many-files.ts';
import { nodeProject } from './node-project.ts';
import { oneFile } from './one-file.ts';
import { pullRunPush } from './pull-run-push.ts';
import { trivialRuns } from './trivial-runs.ts';

/** All cases. Those that clear the caches of the peers come last. */
export const cases: readonly BenchCase[] = [
  oneFile,
  cachedSteps,
  trivialRuns,
  isolations,
  manyFiles,
  eightStages,
  bakedTargets,
  nodeProject,
  ignoredFiles,
  emulated,
  cacheExport,
  pullRunPush,
  ciJob,
  loading,
  archive,
];
