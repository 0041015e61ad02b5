import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { files } from '../../support/cached-project.ts';
import { type CertificateFiles, makeAuthority } from '../../support/certificate.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import {
  startAuthority,
  startContainerCredentials,
  startInstanceMetadata,
  startManagedIdentity,
  type Tls,
} from '../../support/identity-servers.ts';
import {
  azurite,
  type AzureServer,
  s3Server,
  type S3Server,
  startAzurite,
  startS3,
} from '../../support/object-servers.ts';
import { ranIn } from '../../support/plain-progress.ts';
import { needs } from '../../support/requirements.ts';
import { runProcess } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildGood, buildInline, type InlineBuild } from '../../support/tbuild.ts';
import { startWebProxy } from '../../support/web-proxy.ts';

const ran = (build: InlineBuild) => ranIn(build.stderr);
type Variables = Readonly<Record<string, string>>;
const onStore = (args: readonly string[], env: Variables = {}, store = scratchDirectory('store')) => ({
  args,
  env,
  store,
});

/** Builds the project on three machines that share a cache: the first fills it, the others run nothing. */
async function shareCache(cache: string, env: Variables): Promise<void> {
  const args = ['--cache-to', `${cache},mode=max`, '--cache-from', cache];
  const first = await buildGood(files, onStore(args, env));
  expect(first.stderr).toMatch(/Cache .*tbuild is ignored/);
  const second = await buildGood(files, onStore(args, env));
  expect(ran(second)).toEqual([]);
  expect(second.id()).toBe(first.id());
  expect(second.stderr).not.toContain('writing layer');
  // A layer is fetched when a step needs it.
  const changed = { ...files, Dockerfile: `${files.Dockerfile}RUN cat /id /out\n` };
  const third = await buildGood(changed, onStore(args, env));
  expect(ran(third)).toEqual(['RUN cat /id /out']);
  expect(third.tree().readText('/id')).toBe(second.tree().readText('/id'));
}

const SMALL = { Dockerfile: 'FROM busybox\nRUN echo 1 > /1\n' };

/** Builds a step on one machine, and takes it from the cache on another one. */
async function handOver(cache: string, env: Variables, args: readonly string[] = []): Promise<void> {
  await buildGood(SMALL, onStore([...args, '--cache-to', cache], env));
  expect(ran(await buildGood(SMALL, onStore([...args, '--cache-from', cache], env)))).toEqual([]);
}

describe('a cache in a bucket of S3', needs(s3Server), () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startS3();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const place = (more = '', host = server.host) =>
    `type=s3,bucket=${server.bucket},region=${server.region},endpoint_url=http://${host},use_path_style=true${more}`;
  const keys = () =>
    `,access_key_id=${server.credentials.accessKeyId},secret_access_key=${server.credentials.secretAccessKey}`;
  const fromEnvironment = (): Variables => ({
    AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
    AWS_REGION: server.region,
    AWS_BUCKET: server.bucket,
    AWS_ENDPOINT_URL_S3: server.endpoint,
  });

  test('with keys in the option gives other machines every step', async () => {
    await shareCache(place(`${keys()},prefix=a/b/`), {});
  });

  test('leaves no key in the store and its records of builds', async () => {
    const store = scratchDirectory('store');
    await buildGood(files, onStore(['--cache-to', place(`${keys()},prefix=kept/`)], {}, store));
    const secret = server.credentials.secretAccessKey;
    const found = await runProcess('grep', ['-rlF', secret, store]);
    expect(found.stdout).toBe('');
    const records = await runProcess('grep', ['-rlF', 'prefix', join(store, 'builds')]);
    expect(records.stdout).not.toBe('');
  });

  test('takes bucket, region, address and keys from the environment', async () => {
    await shareCache('type=s3,prefix=environment/', fromEnvironment());
  });

  test('takes keys from the profile of a credentials file', async () => {
    const file = join(scratchDirectory('aws'), 'credentials');
    const { accessKeyId, secretAccessKey } = server.credentials;
    writeFileSync(file, `[ci]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`);
    await shareCache(place(',prefix=profile/'), { AWS_PROFILE: 'ci', AWS_SHARED_CREDENTIALS_FILE: file });
  });

  test('takes the role of a web identity, through the proxy of the build', async () => {
    await using proxy = await startWebProxy({ route: (name) => (name === 'sts.example' ? server.host : undefined) });
    const token = join(scratchDirectory('aws'), 'token');
    writeFileSync(token, 'header.payload.signature');
    await handOver(place(',prefix=web-identity/'), {
      AWS_WEB_IDENTITY_TOKEN_FILE: token,
      AWS_ROLE_ARN: server.role,
      AWS_REGION: server.region,
      AWS_ENDPOINT_URL_STS: 'http://sts.example',
      http_proxy: proxy.url,
      no_proxy: '127.0.0.1',
    });
    expect(proxy.asked).not.toEqual([]);
  });

  test('takes the role of a container', async () => {
    const asked = { path: '/v2/credentials/task', authorization: 'Bearer of-the-task' };
    await using agent = await startContainerCredentials(server.temporary, asked);
    await handOver(place(',prefix=container/'), {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${agent.url}${asked.path}`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: asked.authorization,
    });
    expect(agent.seen).not.toEqual([]);
  });

  test('takes the role of a machine', async () => {
    await using metadata = await startInstanceMetadata(server.temporary);
    await handOver(place(',prefix=machine/'), { AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.url });
    expect(metadata.seen).toContain('/latest/api/token');
  });

  test('has several names, and each of them is read', async () => {
    const names = place(`${keys()},prefix=names/`);
    const first = await buildGood(files, onStore(['--cache-to', `${names},name=abc123;main`]));
    for (const name of ['abc123', 'main']) {
      const next = await buildGood(files, onStore(['--cache-from', `${names},name=${name}`]));
      expect(ran(next)).toEqual([]);
      expect(next.id()).toBe(first.id());
    }
  });

  test('has the prefixes, the parallelism and the ages of the option', async () => {
    await using proxy = await startFaultProxy(server.host);
    const places = `${keys()},blobs_prefix=x/,manifests_prefix=y/`;
    const export_ = (more: string) => [
      '--cache-to',
      `${place(places, proxy.host)},mode=max,upload_parallelism=1${more}`,
    ];
    const store = scratchDirectory('store');
    await buildGood(files, onStore(export_(''), {}, store));
    const lines = () => proxy.seen.map(({ line }) => line);
    expect(lines().filter((line) => line.startsWith('PUT '))).not.toEqual([]);
    for (const line of lines()) expect(line).toMatch(/\/cache\/(?:x\/sha256%3A[0-9a-f]{64}|y\/tbuild)$/);
    proxy.seen.length = 0;
    await buildGood(files, onStore(export_(''), {}, store));
    // What is there is not sent again, and young enough not to be touched.
    expect(lines().filter((line) => line.startsWith('PUT '))).toEqual(['PUT /cache/y/tbuild']);
    proxy.seen.length = 0;
    await buildGood(files, onStore(export_(',touch_refresh=1ms'), {}, store));
    const touched = proxy.seen.filter(({ headers }) => headers['x-amz-copy-source'] !== undefined);
    expect(touched.length).toBeGreaterThan(5);
  });

  test('goes on after answers of 503 and broken connections', async () => {
    await using proxy = await startFaultProxy(server.host);
    proxy.decide = (_, before) => {
      if (before > 1) return undefined;
      return before === 0 ? { kind: 'answer', status: 503 } : { kind: 'cut-answer', after: 0 };
    };
    const cache = place(`${keys()},prefix=faults/`, proxy.host);
    const first = await buildGood(files, onStore(['--cache-to', `${cache},mode=max`]));
    const next = await buildGood(files, onStore(['--cache-from', cache]));
    expect(ran(next)).toEqual([]);
    expect(next.id()).toBe(first.id());
  });

  test('whose blobs were deleted runs the steps again that need them', async () => {
    const cache = place(`${keys()},prefix=lost/`);
    await buildGood(files, onStore(['--cache-to', `${cache},mode=max`]));
    await using proxy = await startFaultProxy(server.host);
    // The first blob has the records.
    let read = 0;
    proxy.decide = (line) =>
      line.startsWith('GET') && line.includes('/blobs/') && (read += 1) > 1
        ? { kind: 'answer', status: 404 }
        : undefined;
    const lost = place(`${keys()},prefix=lost/`, proxy.host);
    const changed = { ...files, Dockerfile: `${files.Dockerfile}RUN cat /id\n` };
    const next = await buildGood(changed, onStore(['--cache-from', lost]));
    expect(ran(next)).toContain('RUN cat /id');
    expect(next.tree().readText('/out')).toBe('1\n2\n');
  });

  test('with a wrong key is ignored, and an export fails without showing the key', async () => {
    const wrong = place(`,access_key_id=${server.credentials.accessKeyId},secret_access_key=not/the+key=`);
    const build = await buildInline(files, onStore(['--cache-from', wrong]));
    expect(build.exitCode).toBe(0);
    expect(build.stderr).toMatch(/Cache s3:\/\/cache\/manifests\/tbuild is ignored: .*SignatureDoesNotMatch/);
    const failed = await buildInline(files, onStore(['--debug', '--cache-to', wrong]));
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toContain('Access to s3://cache was denied (403)');
    const ignored = await buildGood(files, onStore(['--cache-to', `${wrong},ignore-error=true`]));
    expect(ignored.stderr).toContain('was not exported');
    const unknown = await buildInline(files, onStore(['--cache-to', `${wrong},typo=1`]));
    expect(unknown.exitCode).toBe(2);
    for (const { stderr } of [build, failed, ignored, unknown]) expect(stderr).not.toContain('not/the');
  });

  test('without any credentials says where to put them', async () => {
    const env = { AWS_EC2_METADATA_DISABLED: 'true', HOME: scratchDirectory('home') };
    const failed = await buildInline(files, onStore(['--cache-to', place()], env));
    expect(failed.stderr).toContain('No credentials of AWS were found');
    expect(failed.stderr).toContain('AWS_ACCESS_KEY_ID');
  });
});

describe('a cache in Azure Blob Storage', needs(azurite), () => {
  let server: AzureServer;
  beforeAll(async () => {
    server = await startAzurite();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('with the key in the option gives other machines every step', async () => {
    const place = `type=azblob,account_url=${server.accountUrl},container=one,prefix=a/,secret_access_key=${server.key}`;
    await shareCache(place, {});
  });

  test('takes address, account and container from the environment', async () => {
    await shareCache(`type=azblob,secret_access_key=${server.key},blobs_prefix=x/,manifests_prefix=y/`, {
      BUILDKIT_AZURE_STORAGE_ACCOUNT_URL: server.accountUrl,
      BUILDKIT_AZURE_STORAGE_ACCOUNT_NAME: server.account,
      BUILDKIT_AZURE_STORAGE_CONTAINER: 'two',
    });
  });

  describe('with a token', () => {
    const identity = { tenant: 'company', client: '00000000-0000-0000-0000-0000000000c1' };
    let secure: AzureServer;
    let tls: Tls;
    let ca: string;
    beforeAll(async () => {
      const directory = scratchDirectory('azure-tls');
      const [authority, own] = ['authority', 'server'].map((name) => ({
        key: join(directory, `${name}.key`),
        certificate: join(directory, `${name}.pem`),
      })) as [CertificateFiles, CertificateFiles];
      await makeAuthority(authority, own);
      secure = await startAzurite(own);
      tls = { key: readFileSync(own.key), cert: readFileSync(own.certificate) };
      ca = authority.certificate;
    });
    afterAll(() => secure[Symbol.asyncDispose]());

    const place = (name: string) => `type=azblob,account_url=${secure.accountUrl},container=${name}`;
    const handOverBy = (name: string, env: Variables) => handOver(place(name), env, ['--ca', ca]);

    test('of a client secret', async () => {
      const secret = 'secret/of+the-client';
      await using authority = await startAuthority({ ...identity, proof: { client_secret: secret } }, tls);
      const env = {
        AZURE_AUTHORITY_HOST: authority.url,
        AZURE_TENANT_ID: identity.tenant,
        AZURE_CLIENT_ID: identity.client,
      };
      await handOverBy('secret', { ...env, AZURE_CLIENT_SECRET: secret });
      const wrong = { ...env, AZURE_CLIENT_SECRET: 'another-secret', AZURE_TOKEN_CREDENTIALS: 'prod' };
      const args = ['--ca', ca, '--cache-to', place('wrong')];
      const refused = await buildInline(SMALL, onStore(args, wrong));
      expect(refused.exitCode).toBe(1);
      expect(refused.stderr).toContain('No credentials of Azure were found');
      expect(refused.stderr).not.toContain('another-secret');
    });

    test('of a workload identity', async () => {
      const assertion = 'header.payload.signature';
      const file = join(scratchDirectory('azure'), 'token');
      writeFileSync(file, assertion);
      const proof = {
        client_assertion: assertion,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      };
      await using authority = await startAuthority({ ...identity, proof }, tls);
      await handOverBy('workload', {
        AZURE_AUTHORITY_HOST: authority.url,
        AZURE_TENANT_ID: identity.tenant,
        AZURE_CLIENT_ID: identity.client,
        AZURE_FEDERATED_TOKEN_FILE: file,
      });
    });

    test('of a managed identity', async () => {
      await using machine = await startManagedIdentity(identity.client);
      await handOverBy('managed', {
        AZURE_POD_IDENTITY_AUTHORITY_HOST: machine.url,
        AZURE_CLIENT_ID: identity.client,
      });
      expect(machine.seen).not.toEqual([]);
    });
  });
});
