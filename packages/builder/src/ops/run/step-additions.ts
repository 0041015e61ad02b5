import type { Sandbox, SandboxMount } from '@tbuild/executor';
import type { RunOp } from '@tbuild/graph';
import { aptAsRoot } from './fake-ids.ts';
import { type Certificates, type StepTree, trustInStep } from './step-certificates.ts';
import type { StepFiles } from './step-files.ts';

/** What the builder gives to a step for its time alone. */
export interface StepAdditions extends Pick<Sandbox, 'root'> {
  readonly mounts: readonly SandboxMount[];
  /** Only variables that the step's environment does not set. */
  readonly env: readonly string[];
  /** Takes it out of what the step changed. Call it when the step has ended. */
  takeBack(): void;
}

export interface AddedParts {
  readonly certificates?: Certificates;
  readonly fakeIds: boolean;
}

/** Collects what a step gets beside what its Dockerfile says. */
export function additionsTo(
  { env }: Pick<RunOp, 'env'>,
  { certificates, fakeIds }: AddedParts,
  { files, ...place }: StepTree & { readonly files: StepFiles },
): StepAdditions {
  const trust = trustInStep(certificates, place, files);
  const parts = [trust, ...(fakeIds ? [aptAsRoot(files)] : [])];
  const names = new Set(env.map(nameOf));
  return {
    root: trust.root,
    mounts: parts.flatMap(({ mounts }) => mounts),
    env: parts.flatMap((part) => part.env).filter((entry) => !names.has(nameOf(entry))),
    takeBack: trust.takeBack,
  };
}

function nameOf(entry: string): string {
  return entry.slice(0, entry.indexOf('='));
}
