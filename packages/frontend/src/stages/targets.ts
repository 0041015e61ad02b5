import type { Dockerfile } from '@tbuild/dockerfile';
import type { SourceRange } from '@tbuild/errors';
import { descriptionIn } from '../outline.ts';

/** A stage that can be built. */
export interface Target {
  /** As written; undefined for a stage without a name. */
  readonly name?: string;
  /** Whether it is built by default. */
  readonly default: boolean;
  /** The comment above FROM that begins with the name. */
  readonly description?: string;
  /** The image and platform as written, with variables unexpanded. */
  readonly base: string;
  readonly platform?: string;
  readonly location: SourceRange;
}

/** Returns the stages of a file, in order. */
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
