export { printable } from './printable.ts';
export { quotePath } from './quote-path.ts';
export {
  capitalized,
  errnoName,
  firstFailure,
  hasCode,
  locate,
  messageOf,
  prefixed,
  TbuildError,
  uncapitalized,
} from './tbuild-error.ts';
export type { ErrorCode, TbuildErrorOptions } from './tbuild-error.ts';
export type { Position, SourceRange } from './source-range.ts';
export { suggest } from './suggest.ts';
export { visible, visibleLine } from './visible.ts';
export { withoutCredentials } from './without-credentials.ts';
