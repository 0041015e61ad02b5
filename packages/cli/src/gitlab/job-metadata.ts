import type { BuildSpec } from '@tbuild/spec';
import type { Environment } from '../config/environment.ts';

type Variables = Environment['variables'];

/**
 * Adds the labels and annotations `org.opencontainers.image.*` that the variables of a GitLab job give; what the spec
 * names itself stays. Two jobs for one commit give the same.
 */
export function withJobMetadata(spec: BuildSpec, { variables }: Pick<Environment, 'variables'>): BuildSpec {
  const described = describedBy(variables);
  const on = (spec.platforms ?? []).length > 1 ? 'manifest,index' : 'manifest';
  const annotations = Object.entries(described).map(([name, value]) => [`${on}:${name}`, value]);
  return {
    ...spec,
    labels: { ...described, ...spec.labels },
    annotations: { ...Object.fromEntries(annotations), ...spec.annotations },
  };
}

function describedBy(variables: Variables): Readonly<Record<string, string>> {
  const values: Readonly<Record<string, string | undefined>> = {
    source: variables.CI_PROJECT_URL,
    url: variables.CI_PROJECT_URL,
    revision: variables.CI_COMMIT_SHA,
    version: variables.CI_COMMIT_TAG || variables.CI_COMMIT_REF_NAME,
    created: variables.CI_COMMIT_TIMESTAMP,
    'ref.name': variables.CI_COMMIT_REF_NAME,
  };
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value ? [[`org.opencontainers.image.${name}`, value]] : [])),
  );
}
