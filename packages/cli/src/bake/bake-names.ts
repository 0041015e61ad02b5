import { listTargets, listVariables, OVERRIDE_KEYS, type BakeFiles } from '@tbuild/bake';
import type { Candidate } from '../completion/candidates.ts';
import type { Environment } from '../config/environment.ts';
import { loadBake } from './load-bake.ts';

/** Returns the targets and groups of the bake files. @throws TbuildError BAKE_FILE */
export async function bakeTargets(file: string | undefined, env: Environment): Promise<readonly Candidate[]> {
  return listTargets(await load(file, env)).map(({ name, description }) => ({
    word: name,
    ...(description === undefined ? {} : { help: description }),
  }));
}

/** Returns the variables as `--var` takes them. @throws TbuildError BAKE_FILE */
export async function bakeVariables(file: string | undefined, env: Environment): Promise<readonly Candidate[]> {
  return listVariables(await load(file, env)).map(({ name, description }) => ({
    word: `${name}=`,
    ...(description === undefined ? {} : { help: description }),
  }));
}

/** Returns the attributes of all targets as `--set` takes them. @throws TbuildError BAKE_FILE */
export async function bakeOverrides(file: string | undefined, env: Environment): Promise<readonly Candidate[]> {
  const { definitions } = await load(file, env);
  const names = ['*', ...definitions.targets.map(({ name }) => name)];
  return names.flatMap((name) => OVERRIDE_KEYS.map((key) => ({ word: `${name}.${key}` })));
}

function load(file: string | undefined, env: Environment): Promise<BakeFiles> {
  const wanted = { files: file === undefined ? [] : [file], variables: [], settings: {} };
  return loadBake(wanted, env, () => {});
}
