import type { LintWarning } from '@tbuild/dockerfile';
import type { BuildSettings, BuildSpec } from '@tbuild/spec';
import type { BuildResult } from './answers.ts';
import { ask, type OnEvent, type StoreOptions } from './call-program.ts';

/** Everything that a build takes besides its spec. */
export interface BuildOptions extends StoreOptions, BuildSettings {
  /** Receives every event in order. The build waits for a promise that it returns; what it throws ends the build. */
  readonly onEvent?: OnEvent;
  /** Values for RUN --mount=type=secret, by id. */
  readonly secrets?: Readonly<Record<string, string | Uint8Array>>;
}

/** The result of a build, and the document of `--metadata-file`. */
export interface BuildAnswer extends BuildResult {
  readonly metadata: Readonly<Record<string, unknown>>;
}

/**
 * Builds in a process of its own: the program `tbuild`, which reads the same environment and configuration as on the
 * command line. Several builds may run at once, also on one store.
 * @throws BuildError with a code, a hint, and the place in the Dockerfile; a plain Error for a defect.
 */
export async function build(spec: BuildSpec, options?: BuildOptions): Promise<BuildAnswer> {
  return (await ask('build', spec, options)) as BuildAnswer;
}

/**
 * Builds nothing, and returns what the checks of the Dockerfile find.
 * @throws BuildError for an error that a build would fail with before its first step.
 */
export async function check(spec: BuildSpec, options?: BuildOptions): Promise<readonly LintWarning[]> {
  return (await ask('check', spec, options)) as readonly LintWarning[];
}
