export { emptyView, reduce, timeOf, withLine } from './build-view.ts';
export type { BuildView, StepView, WarningView } from './build-view.ts';
export { display } from './display.ts';
export type { DisplayMode } from './display.ts';
export { formatBytes, formatDuration, formatSeconds, formatTransferred } from './format.ts';
export type { TextOutput } from './text-output.ts';
export { readTheme } from './theme.ts';
