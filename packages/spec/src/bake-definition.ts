import type { BuildSpec } from './build-spec.ts';

/** One of several targets. Another target is a context of it as `target:NAME`. */
export type BakeTarget = Omit<BuildSpec, 'jobs' | 'timeout'>;

/** Targets to build as one, as plain data that survives JSON. Steps that several have run once. */
export interface BakeDefinition {
  /** By name: letters, digits, `-` and `_`. */
  readonly targets: Readonly<Record<string, BakeTarget>>;
  /** The targets to build, with those that are their contexts; the latter make no image. Defaults to all. */
  readonly only?: readonly string[];
  /** How many steps of all targets may run at once. */
  readonly jobs?: number;
  /** The build of all targets fails when it takes longer than this, such as `10m`. */
  readonly timeout?: string;
}
