import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pushBaseImage } from '../../support/base-images.ts';
import { startRegistry } from '../../support/registry.ts';
import { needs } from '../../support/requirements.ts';
import { buildInline, good, writeFiles } from '../../support/tbuild.ts';
import { startWebServer } from '../../support/web-server.ts';

const policyFile = (...rules: object[]) =>
  join(writeFiles({ 'policy.json': JSON.stringify({ version: 1, rules }) }), 'policy.json');

describe('a source policy', needs('registry'), () => {
  test('denies an image, also by the variable of BuildKit', async () => {
    await using registry = await startRegistry();
    const base = await pushBaseImage('busybox', registry.host);
    const deny = policyFile({ action: 'DENY', selector: { identifier: `docker-image://${registry.host}/*` } });
    const files = { Dockerfile: `FROM ${base}\nCOPY Dockerfile /\n` };
    const message = `ERROR: Source "docker-image://${base}" is denied by policy`;
    const byFlag = await buildInline(files, { args: ['--source-policy-file', deny] });
    expect(byFlag.exitCode).toBe(1);
    expect(byFlag.stderr).toContain(message);
    const byVariable = await buildInline(files, { env: { EXPERIMENTAL_BUILDKIT_SOURCE_POLICY: deny } });
    expect(byVariable.stderr).toContain(message);
    good(await buildInline(files, { args: ['--source-policy-file', policyFile()] }));
  });

  test('converts an image into another one', async () => {
    await using registry = await startRegistry();
    const base = await pushBaseImage('busybox', registry.host);
    const convert = policyFile({
      action: 'CONVERT',
      selector: { identifier: 'docker-image://docker.io/library/(\\w+):.*', match_type: 'REGEX' },
      updates: { identifier: `docker-image://${registry.host}/$1:latest` },
    });
    const build = await buildInline(
      { Dockerfile: 'FROM busybox:0.0.1-pinned\nRUN true\n' },
      { args: ['--source-policy-file', convert] },
    );
    expect(good(build).stderr).toContain(`FROM ${base}@sha256:`);
  });
});

describe('a source policy for files', () => {
  test('converts a URL and adds a checksum, which is then verified', async () => {
    await using server = await startWebServer(new Map([['/real', { body: 'content\n' }]]));
    const files = { Dockerfile: 'FROM scratch\nADD http://files.invalid/x /x\n' };
    const rule = (checksum: string) => ({
      action: 'CONVERT',
      selector: { identifier: 'http://files.invalid/*' },
      updates: { identifier: `${server.url}/real`, attrs: { 'http.checksum': checksum } },
    });
    const right = 'sha256:434728a410a78f56fc1b5899c3593436e61ab0c731e9072d95e96db290205e53';
    const build = good(await buildInline(files, { args: ['--source-policy-file', policyFile(rule(right))] }));
    expect(build.tree().readText('/x')).toBe('content\n');
    const wrong = await buildInline(files, {
      args: ['--source-policy-file', policyFile(rule(`sha256:${'0'.repeat(64)}`))],
    });
    expect(wrong.exitCode).toBe(1);
  });

  test('denies the repository of a context', async () => {
    const deny = policyFile({ action: 'DENY', selector: { identifier: 'git://*' } });
    const build = await buildInline(
      { Dockerfile: 'FROM scratch\nADD https://example.com/app.git#main /\n' },
      { args: ['--source-policy-file', deny] },
    );
    expect(build.stderr).toContain('ERROR: Source "git://example.com/app.git#main" is denied by policy');
  });
});
