import { expect, test } from 'vitest';
import { withJobMetadata } from './job-metadata.ts';

const variables = {
  CI_PROJECT_URL: 'https://gitlab.example/team/app',
  CI_COMMIT_SHA: '1ecfd275763eff1d6b4844ea3168962458c9f27a',
  CI_COMMIT_REF_NAME: 'main',
  CI_COMMIT_TIMESTAMP: '2026-11-27T10:00:00+00:00',
};
const KEY = 'org.opencontainers.image';
const described = {
  [`${KEY}.source`]: 'https://gitlab.example/team/app',
  [`${KEY}.url`]: 'https://gitlab.example/team/app',
  [`${KEY}.revision`]: '1ecfd275763eff1d6b4844ea3168962458c9f27a',
  [`${KEY}.version`]: 'main',
  [`${KEY}.created`]: '2026-11-27T10:00:00+00:00',
  [`${KEY}.ref.name`]: 'main',
};

test('an image gets labels and annotations from the variables of the job', () => {
  const { labels, annotations } = withJobMetadata({ context: '.' }, { variables });
  expect(labels).toEqual(described);
  expect(annotations).toMatchObject({ [`manifest:${KEY}.revision`]: variables.CI_COMMIT_SHA });
});

test('a tag is the version, and what the user names stays', () => {
  const spec = { context: '.', labels: { [`${KEY}.url`]: 'https://example.com', own: '1' } };
  const { labels } = withJobMetadata(spec, { variables: { ...variables, CI_COMMIT_TAG: 'v1.2' } });
  expect(labels).toEqual({ ...described, [`${KEY}.version`]: 'v1.2', [`${KEY}.url`]: 'https://example.com', own: '1' });
});

test('an index of several platforms is annotated as its manifests are', () => {
  const { annotations } = withJobMetadata({ context: '.', platforms: ['linux/amd64', 'linux/arm64'] }, { variables });
  expect(Object.keys(annotations ?? {})).toContain(`manifest,index:${KEY}.source`);
});

test('outside of a job nothing is added', () => {
  expect(withJobMetadata({ context: '.' }, { variables: {} })).toEqual({ context: '.', labels: {}, annotations: {} });
});
