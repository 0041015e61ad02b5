import { existsSync, statSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { DEFAULT_NAMES } from '@tbuild/builder';
import { hasCode, withoutCredentials } from '@tbuild/errors';
import { goBool } from '@tbuild/oci';
import { type AskGit, gitIn, isDirty } from '@tbuild/sources';
import type { BuildSpec } from '@tbuild/spec';
import type { Environment } from '../config/environment.ts';
import { openOutside } from '../services/run-program.ts';

/**
 * Adds the labels of BUILDX_GIT_LABELS: commit, repository and Dockerfile of a context in a git work tree, as buildx writes
 * them. Labels that are given stay.
 */
export async function withGitLabels(spec: BuildSpec, env: Environment): Promise<BuildSpec> {
  const { BUILDX_GIT_LABELS: labels } = env.variables;
  if (labels !== 'full' && goBool(labels) !== true) return spec;
  const directory = resolve(env.cwd, spec.context);
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) return spec;
  return { ...spec, labels: { ...(await gitLabels(directory, spec, env)), ...spec.labels } };
}

async function gitLabels(
  directory: string,
  { dockerfile }: BuildSpec,
  env: Environment,
): Promise<Readonly<Record<string, string>>> {
  const { run: runProgram } = openOutside(env);
  // What takes too long gives no label.
  const git: AskGit = (...args) =>
    gitIn(directory, { runProgram, signal: AbortSignal.timeout(GIT_TIME) })(...args).catch((error: unknown) => {
      if (!hasCode(error, 'CANCELLED')) throw error;
      return undefined;
    });
  const root = await git('rev-parse', '--show-toplevel');
  if (root === undefined) return {};
  const commit = await git('rev-parse', '--verify', 'HEAD');
  const checks = goBool(env.variables.BUILDX_GIT_CHECK_DIRTY) === true;
  const suffix = checks && (await isDirty(git)) ? '-dirty' : '';
  const remote =
    (await git('config', '--get', 'remote.origin.url')) || (await git('config', '--get', 'remote.upstream.url'));
  const usual = dockerfile === undefined ? DEFAULT_NAMES.map((name) => join(directory, name)) : [];
  const files = typeof dockerfile === 'string' ? [resolve(env.cwd, dockerfile)] : usual;
  const file = files.find((one) => existsSync(one));
  const entry = file === undefined ? '..' : relative(root, file);
  const isInside = !entry.startsWith('..') && !isAbsolute(entry);
  return {
    ...(commit === undefined ? {} : { 'org.opencontainers.image.revision': `${commit}${suffix}` }),
    ...(remote === undefined || remote === '' ? {} : { 'org.opencontainers.image.source': withoutCredentials(remote) }),
    ...(isInside ? { 'com.docker.image.source.entrypoint': entry } : {}),
  };
}

/** In milliseconds. */
const GIT_TIME = 10_000;
