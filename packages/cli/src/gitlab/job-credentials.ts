import type { CredentialFile } from '@tbuild/registry';
import type { Environment } from '../config/environment.ts';

type Variables = Environment['variables'];

/**
 * Returns the credentials that a GitLab job gets: the token of the job, or else a deploy token, for the registry of its
 * project, and those of the dependency proxy. The user's own come first.
 */
export function jobCredentials(variables: Variables): CredentialFile | undefined {
  const { CI_DEPENDENCY_PROXY_SERVER, CI_DEPENDENCY_PROXY_USER, CI_DEPENDENCY_PROXY_PASSWORD } = variables;
  const entries = [
    [variables.CI_REGISTRY, ...projectCredentials(variables)],
    [CI_DEPENDENCY_PROXY_SERVER, CI_DEPENDENCY_PROXY_USER, CI_DEPENDENCY_PROXY_PASSWORD],
    // The server has a port that names of images omit.
    [CI_DEPENDENCY_PROXY_SERVER?.replace(/:443$/, ''), CI_DEPENDENCY_PROXY_USER, CI_DEPENDENCY_PROXY_PASSWORD],
  ].flatMap(([server, username, password]) =>
    server && username && password ? [[server, { username, password }]] : [],
  );
  if (entries.length === 0) return undefined;
  return { name: 'the variables of the job', text: JSON.stringify({ auths: Object.fromEntries(entries) }) };
}

function projectCredentials(variables: Variables): readonly (string | undefined)[] {
  const { CI_REGISTRY_USER, CI_REGISTRY_PASSWORD, CI_JOB_TOKEN, CI_DEPLOY_USER, CI_DEPLOY_PASSWORD } = variables;
  const password = CI_REGISTRY_PASSWORD || CI_JOB_TOKEN;
  return password ? [CI_REGISTRY_USER || 'gitlab-ci-token', password] : [CI_DEPLOY_USER, CI_DEPLOY_PASSWORD];
}

/** Returns the dependency proxy of the job's group as the mirror of Docker Hub, when `TBUILD_DEPENDENCY_PROXY` is set. */
export function jobMirror(variables: Variables): readonly string[] {
  const { TBUILD_DEPENDENCY_PROXY = '', CI_DEPENDENCY_PROXY_GROUP_IMAGE_PREFIX: prefix } = variables;
  return prefix && /^(?:1|true|yes)$/i.test(TBUILD_DEPENDENCY_PROXY) ? [prefix] : [];
}
