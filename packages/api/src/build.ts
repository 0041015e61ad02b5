import type { LintWarning } from '@tbuild/dockerfile';
import type { BuildResult } from './answers.ts';
import type { BuildSpec } from '@tbuild/spec';
import { ask, type OnEvent, type StoreOptions } from './call-program.ts';

/** How to build, besides what. */
export interface BuildOptions extends StoreOptions {
  /** Told of all that happens, in order; the build waits for a promise that it gives. What it throws ends the build. */
  readonly onEvent?: OnEvent;
  /** For RUN --mount=type=secret, by id. */
  readonly secrets?: Readonly<Record<string, string | Uint8Array>>;
  /** How RUN steps are contained. */
  readonly isolation?: 'auto' | 'namespace' | 'oci' | 'chroot';
  /** Registries that may be spoken to without TLS. */
  readonly insecureRegistries?: readonly string[];
  /** Where images are looked for first: `HOST` for Docker Hub's, `REGISTRY=MIRROR`. */
  readonly registryMirrors?: readonly string[];
  /** Images that have mirrors are looked for nowhere else. */
  readonly mirrorsOnly?: boolean;
}

/** What was built, and the document of `--metadata-file`. */
export interface BuildAnswer extends BuildResult {
  readonly metadata: Readonly<Record<string, unknown>>;
}

/**
 * Builds, in a process of its own: the program `tbuild`, which reads the same environment and configuration as on the
 * command line. Builds may run at once, also on one store.
 * @throws BuildError with a code, a hint, and the place in the Dockerfile; a plain Error for what nobody expected.
 */
export async function build(spec: BuildSpec, options?: BuildOptions): Promise<BuildAnswer> {
  return (await ask('build', spec, options)) as BuildAnswer;
}

/**
 * Builds nothing, and says what the checks of the Dockerfile find.
 * @throws BuildError for what a build would fail with before its first step.
 */
export async function check(spec: BuildSpec, options?: BuildOptions): Promise<readonly LintWarning[]> {
  return (await ask('check', spec, options)) as readonly LintWarning[];
}
