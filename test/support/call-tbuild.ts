import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type BuildAnswer, type BuildOptions, type BuildSpec } from '@tbuild/api';
import { baseImage, type BaseImageName } from './base-images.ts';
import { program } from './program.ts';
import { scratchDirectory } from './scratch.ts';
import { defaultStore } from './tbuild.ts';
import { ordinaryUser } from './user.ts';

/** The store of the test file, and the program under test. */
export function storeOptions(asUser = false): { readonly root: string; readonly program: string } {
  return { root: defaultStore(asUser), program: asUser ? programOfUser() : program };
}

export interface CalledBuildOptions extends BuildOptions {
  /** Starts the program as the ordinary user that the set-up made. */
  readonly asUser?: boolean;
  /** The images that `FROM NAME` may name without a registry. */
  readonly images?: readonly BaseImageName[];
}

/** Builds through the API, with the program under test and a store of the test file's own. */
export function callBuild(
  spec: BuildSpec,
  { asUser = false, images = ['busybox'], ...options }: CalledBuildOptions = {},
): Promise<BuildAnswer> {
  const contexts = Object.fromEntries(images.map((name) => [name, `oci-layout://${baseImage(name)}`]));
  return build({ ...spec, contexts: { ...contexts, ...spec.contexts } }, { ...storeOptions(asUser), ...options });
}

let userProgram: string | undefined;

/** Returns a script that switches to the ordinary user and executes the program under test. */
function programOfUser(): string {
  if (userProgram !== undefined) return userProgram;
  const { name, home } = ordinaryUser();
  userProgram = join(scratchDirectory('program'), 'tbuild');
  const become = `setpriv --reuid ${name} --regid ${name} --init-groups`;
  writeFileSync(userProgram, `#!/bin/sh\nHOME=${home} USER=${name} exec ${become} ${program} "$@"\n`, { mode: 0o755 });
  return userProgram;
}
