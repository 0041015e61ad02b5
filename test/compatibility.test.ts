import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readEnvironment } from '../packages/cli/src/config/environment.ts';
import { buildFlags } from '../packages/cli/src/flags/build-flags.ts';
import { buildRequest } from '../packages/cli/src/request/build-request.ts';
import { cacheExport, cacheImport } from '../packages/cli/src/request/cache-spec.ts';
import { compatibilityPage, sections } from './compatibility/page.ts';

const root = resolve(import.meta.dirname, '..');
const page = join(root, 'docs/compatibility.md');
/** Where options of caches are read. */
const AT = { cwd: '/', variables: {} };

test('docs/compatibility.md is what the tables of options give', () => {
  const text = compatibilityPage();
  if (process.env.UPDATE_GOLDENS === '1') writeFileSync(page, text);
  expect(readFileSync(page, 'utf8')).toBe(text);
});

describe('a test runs each row of', () => {
  test.each(Object.entries(sections))('%s', (_, rows) => {
    const missing = rows.filter(({ name, test: file, word = name }) => {
      const path = join(root, file);
      return !existsSync(path) || !readFileSync(path, 'utf8').includes(word);
    });
    expect(missing.map(({ name, test: file }) => `${name}: ${file}`)).toEqual([]);
  });
});

test('every option that Docker shares with tbuild has a row', () => {
  const own = new Set([
    ...'base-annotations build-arg-file ca cache-ttl cdi-spec-dir cyclonedx-file digest-file dotenv-file env explain fake-ids format gitlab-metadata help report'.split(
      ' ',
    ),
    ...'ignorefile image-name-tag-with-digest-file image-name-with-digest-file insecure-registry jobs'.split(' '),
    ...'log-max min-download-rate on-error omit-history registry-certificate registry-client-cert registry-map registry-mirror'.split(
      ' ',
    ),
    ...'rewrite-timestamp root server-timeout skip-default-registry-fallback source-date-epoch source-policy-file'.split(
      ' ',
    ),
    ...'timeout timestamp unpack-limits unsetenv unsetlabel'.split(' '),
  ]);
  const rows = new Set(sections['Options of a build']?.map(({ name }) => name.replace(/^--/, '')));
  expect(Object.keys(buildFlags).filter((name) => !own.has(name) && !rows.has(name))).toEqual([]);
});

describe('what other tests do not read:', () => {
  test.each([
    ['tag=b', { type: 'local', path: '/a', name: 'b' }],
    ['tag=b,digest=sha256:1', { type: 'local', path: '/a', name: 'sha256:1' }],
  ])('--cache-from type=local,src=a,%s', (options, expected) => {
    expect(cacheImport(`type=local,src=a,${options}`, AT)).toEqual(expected);
  });

  test('--cache-to with image-manifest=false is refused, and reset=true is accepted', () => {
    expect(() => cacheExport('type=registry,ref=a,image-manifest=false', AT)).toThrow(
      'image-manifest can only be true',
    );
    expect(cacheExport('type=local,dest=a,reset=true', AT)).toEqual(cacheExport('type=local,dest=a', AT));
  });

  test('a build has no attestations, so that BUILDX_NO_DEFAULT_ATTESTATIONS has nothing to change', () => {
    const places = { host: { os: 'linux', architecture: 'amd64' }, root: '/store' };
    const request = (variables: Readonly<Record<string, string>>) =>
      buildRequest({ context: 'proc' }, { ...readEnvironment(), cwd: '/', variables }, places);
    expect(request({}).attestations).toBeUndefined();
    expect(request({ BUILDX_NO_DEFAULT_ATTESTATIONS: '1' })).toEqual(request({}));
  });

  test('DOCKER_DEFAULT_PLATFORM is the platform of a build without --platform', () => {
    const env = { ...readEnvironment(), cwd: '/', variables: { DOCKER_DEFAULT_PLATFORM: 'linux/arm64' } };
    const places = { host: { os: 'linux', architecture: 'amd64' }, root: '/store' };
    const platformsOf = (platforms?: readonly string[]) =>
      buildRequest({ context: 'proc', platforms }, env, places).platforms;
    expect(platformsOf()).toEqual([{ os: 'linux', architecture: 'arm64' }]);
    expect(platformsOf(['linux/amd64'])).toEqual([{ os: 'linux', architecture: 'amd64' }]);
  });
});
