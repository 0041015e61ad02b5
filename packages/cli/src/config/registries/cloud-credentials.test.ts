import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { cloudCredentials } from './cloud-credentials.ts';

const directory = mkdtempSync(join(tmpdir(), 'helpers-'));
afterAll(() => rmSync(directory, { recursive: true }));

function install(name: string, script: string): void {
  const file = join(directory, `docker-credential-${name}`);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

const source = cloudCredentials({
  path: ['/nonexistent', directory],
  runHelper: (program, args, input) =>
    new Promise((resolve) => {
      const child = execFile(join(directory, program), [...args], (error, stdout, stderr) =>
        resolve({ exitCode: error === null ? 0 : 1, stdout, stderr }),
      );
      // A helper need not read its input.
      child.stdin?.on('error', () => {}).end(input);
    }),
});

install('ecr-login', `printf '{"Username": "AWS", "Secret": "of %s"}' "$(cat)"`);
const asked = join(directory, 'asked');
install('gcloud', `touch '${asked}'; echo "You are not logged in" && exit 1`);

test('the helper of a cloud that is installed is asked for its registries', async () => {
  const registry = '123456789012.dkr.ecr.eu-central-1.amazonaws.com';
  expect(await source(registry, 'team/app')).toMatchObject({
    kind: 'password',
    username: 'AWS',
    password: `of ${registry}`,
  });
});

test('a helper that has no credentials leaves the request anonymous', async () => {
  expect(await source('gcr.io', 'distroless/static')).toBeUndefined();
  expect(existsSync(asked)).toBe(true);
});

test.each(['registry.example', '123456789012.dkr.ecr.eu-central-1.amazonaws.com.example', 'gcr.io.example'])(
  'no helper is asked for %s, which is no registry of a cloud',
  async (registry) => {
    rmSync(asked, { force: true });
    expect(await source(registry, 'app')).toBeUndefined();
    expect(existsSync(asked)).toBe(false);
  },
);

test('a cloud without an installed helper is asked anonymously', async () => {
  expect(await source('x.azurecr.io', 'app')).toBeUndefined();
});
