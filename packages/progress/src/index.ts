export { createChannel } from './channel.ts';
export type { ProgressChannel } from './channel.ts';
export type { Outcome, PlannedStep, ProgressEvent, ProgressStepId } from './event.ts';
export { isProgressEvent, isTime } from './is-progress-event.ts';
export { silent } from './progress.ts';
export type { Progress } from './progress.ts';
export type { ReportTransfer } from './report-transfer.ts';
