export {
  findBuild,
  findRecord,
  isWholeBuild,
  listBuilds,
  readEvents,
  removableBuilds,
  removeBuild,
  tidyBuilds,
} from './build-history.ts';
export { buildId, buildRef, createBuildRef } from './build-ref.ts';
export type { BuildRecord, BuildStatus, RecordedError, RecordedStep } from './build-record.ts';
export type { TimedEvent } from './event-lines.ts';
export { openRecorder } from './recorder.ts';
export type { AskedRecord, Recorder } from './recorder.ts';
export { hiddenNames } from './without-secrets.ts';
