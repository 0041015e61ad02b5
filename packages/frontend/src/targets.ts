import type { Dockerfile } from '@tbuild/dockerfile';
import type { SourceRange } from '@tbuild/errors';
import { descriptionIn } from './outline.ts';

/** A stage that can be built. */
export interface Target {
  /** As written; undefined for a stage without a name. */
  readonly name?: string;
  /** Built when no target is named. */
  readonly default: boolean;
  /** The comment above FROM that begins with the name. */
  readonly description?: string;
  /** Image and platform as written, variables in place. */
  readonly base: string;
  readonly platform?: string;
  readonly location: SourceRange;
}

/** The stages of a file, in order. */
export function listTargets({ stages }: Dockerfile): readonly Target[] {
  return stages.map(({ name, from }, index) => ({
    name,
    default: index === stages.length - 1,
    description: descriptionIn(from, name),
    base: from.image.text,
    platform: from.platform?.text,
    location: from.location,
  }));
}
