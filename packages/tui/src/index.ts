export { emptyView, reduce, timeOf, withLine } from './build-view.ts';
export type { BuildView, StepState, StepView, TransferView, WarningView } from './build-view.ts';
export { display } from './display.ts';
export type { DisplayMode, DisplayOptions } from './display.ts';
export { formatBytes, formatDuration, formatSeconds, formatTransferred } from './format.ts';
export type { LogLine, StepLog } from './log-lines.ts';
export type { TextOutput } from './text-output.ts';
export { readTheme } from './theme.ts';
export type { Theme } from './theme.ts';
