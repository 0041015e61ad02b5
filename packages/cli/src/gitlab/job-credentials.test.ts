import { expect, test } from 'vitest';
import { jobCredentials, jobMirror } from './job-credentials.ts';

function auths(variables: Record<string, string>): unknown {
  const file = jobCredentials(variables);
  return file !== undefined && 'text' in file ? JSON.parse(file.text).auths : undefined;
}

const registry = { CI_REGISTRY: 'registry.example' };

test('the token of a job is used before a deploy token', () => {
  const deploy = { CI_DEPLOY_USER: 'deployer', CI_DEPLOY_PASSWORD: 'd' };
  expect(auths({ ...registry, ...deploy, CI_JOB_TOKEN: 't' })).toEqual({
    'registry.example': { username: 'gitlab-ci-token', password: 't' },
  });
  expect(auths({ ...registry, ...deploy })).toEqual({ 'registry.example': { username: 'deployer', password: 'd' } });
  expect(auths(registry)).toBeUndefined();
});

test('the dependency proxy is the mirror of Docker Hub only on request', () => {
  const prefix = { CI_DEPENDENCY_PROXY_GROUP_IMAGE_PREFIX: 'gitlab.example:443/team/dependency_proxy/containers' };
  expect(jobMirror(prefix)).toEqual([]);
  expect(jobMirror({ ...prefix, TBUILD_DEPENDENCY_PROXY: '1' })).toEqual([
    'gitlab.example:443/team/dependency_proxy/containers',
  ]);
  expect(jobMirror({ TBUILD_DEPENDENCY_PROXY: '1' })).toEqual([]);
});
