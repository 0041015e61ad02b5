export type { ImageRequest, NamedContext, Plan, PlannedHistory, PlanOptions, ResolvedImage, ResolveImage } from './plan.ts';
