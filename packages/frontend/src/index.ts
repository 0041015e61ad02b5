export { parseGitSource } from './git-source.ts';
export type { GitSource } from './git-source.ts';
export type {
  ImageRequest,
  NamedContext,
  Plan,
  PlannedHistory,
  PlanOptions,
  ResolvedImage,
  ResolveImage,
} from './plan.ts';
export { planBuild } from './plan-build.ts';
