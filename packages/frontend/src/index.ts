export { givenCheckOptions, isSecretName } from './checks/checks.ts';
export { epochSource, secondsOf, SOURCE_DATE_EPOCH } from './epoch-source.ts';
export type { EpochSource } from './epoch-source.ts';
export { parseEngineName } from './engine-name.ts';
export type { EngineName } from './engine-name.ts';
export { addImage } from './lower/from.ts';
export { gitFragment, parseGitSource } from './git-source.ts';
export type { GitSource } from './git-source.ts';
export type {
  AskedSource,
  EngineKind,
  ImageRequest,
  NamedContext,
  Plan,
  PlanOptions,
  ResolvedImage,
  ResolveImage,
  ScanTarget,
} from './plan.ts';
export { outlineDockerfile } from './outline.ts';
export type { Outline } from './outline.ts';
export { builtInSyntax } from './syntax.ts';
export { listTargets } from './stages/targets.ts';
export type { Target } from './stages/targets.ts';
export { planBuild } from './plan-build.ts';
export { unusedArgs } from './checks/unused-args.ts';
