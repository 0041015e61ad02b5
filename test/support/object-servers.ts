import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { CertificateFiles } from './certificate.ts';
import { freePort, startDaemon } from './daemon.ts';
import type { TemporaryCredentials } from './identity-servers.ts';
import { hasProgram, type Requirement } from './requirements.ts';
import { scratchDirectory } from './scratch.ts';

/** A server with the protocol of S3, and an empty bucket. */
export interface S3Server extends AsyncDisposable {
  /** `http://127.0.0.1:port`. It also issues temporary credentials, as STS does. */
  readonly endpoint: string;
  readonly host: string;
  readonly bucket: string;
  readonly region: string;
  /** A user who may use buckets, but nothing else. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** A role that may use buckets, which a web identity may assume. */
  readonly role: string;
  /** Credentials of the role. */
  readonly temporary: TemporaryCredentials;
}

/** Debian's python3-moto, which checks signatures and permissions with Amazon's own library. */
export const s3Server: Requirement = {
  met: existsSync('/usr/lib/python3/dist-packages/moto/server.py') && hasProgram('python3'),
  lacks: 'python3-moto',
};

/**
 * Starts the server, and has it check the path as it was sent, like S3, instead of the decoded one. Like STS, it takes a
 * request with a web identity without a signature, and no other one.
 */
const PROGRAM = `
from flask import request
from moto.iam.access_control import S3IAMRequest
checked = S3IAMRequest.__init__
S3IAMRequest.__init__ = lambda self, **facts: checked(self, **{**facts, 'path': request.environ['RAW_URI']})
from moto.core.responses import ActionAuthenticatorMixin as Mixin
check = Mixin._authenticate_and_authorize_normal_action
def check_signed(self, *args):
    if self._get_action() == 'AssumeRoleWithWebIdentity' and self.querystring['WebIdentityToken'][0]: return
    check(self, *args)
Mixin._authenticate_and_authorize_normal_action = check_signed
from moto.server import main
main()
`;

/** How many requests set the server up. It checks those after them. */
const SETUP = 7;

export async function startS3(): Promise<S3Server> {
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const endpoint = `http://${host}`;
  const [bucket, region] = ['cache', 'eu-central-1'];
  const directory = scratchDirectory('s3');
  const daemon = await startDaemon({
    program: '/usr/bin/python3',
    args: ['-c', PROGRAM, '-H', '127.0.0.1', '-p', String(port)],
    env: { INITIAL_NO_AUTH_ACTION_COUNT: String(SETUP), HOME: directory, PYTHONDONTWRITEBYTECODE: '1' },
    logFile: join(directory, 'log'),
    isReady: async () => (await answerOf(`${endpoint}/moto-api/`)) !== undefined,
  });
  const iam = (fields: Readonly<Record<string, string>>): Promise<string> => {
    const body = new URLSearchParams({ UserName: 'builder', Version: '2010-05-08', ...fields });
    return asked(endpoint, { method: 'POST', body, headers: scopeOf('iam', region) });
  };
  await iam({ Action: 'CreateUser' });
  const key = await iam({ Action: 'CreateAccessKey' });
  const statement = { Effect: 'Allow', Action: 's3:*', Resource: '*' };
  const policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await iam({ Action: 'PutUserPolicy', PolicyName: 'buckets', PolicyDocument: policy });
  const role = element(await iam({ Action: 'CreateRole', RoleName: 'build', AssumeRolePolicyDocument: policy }), 'Arn');
  await iam({ Action: 'PutRolePolicy', RoleName: 'build', PolicyName: 'buckets', PolicyDocument: policy });
  const place = `<CreateBucketConfiguration><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`;
  await asked(`${endpoint}/${bucket}`, { method: 'PUT', body: place, headers: scopeOf('s3', region) });
  const credentials = credentialsIn(key);
  const session = new URLSearchParams({
    Action: 'AssumeRole',
    RoleArn: role,
    RoleSessionName: 'test',
    Version: '2011-06-15',
  });
  const assumed = await asked(endpoint, { method: 'POST', body: session, headers: scopeOf('sts', region) });
  const temporary = { ...credentialsIn(assumed), sessionToken: element(assumed, 'SessionToken') };
  const end = () => daemon[Symbol.asyncDispose]();
  return { endpoint, host, bucket, region, credentials, role, temporary, [Symbol.asyncDispose]: end };
}

function credentialsIn(xml: string): S3Server['credentials'] {
  return { accessKeyId: element(xml, 'AccessKeyId'), secretAccessKey: element(xml, 'SecretAccessKey') };
}

function element(xml: string, name: string): string {
  return new RegExp(`<${name}>([^<]+)<`).exec(xml)?.[1] ?? '';
}

/** The server finds the service of a request in its signature, also while it checks none. */
function scopeOf(service: string, region: string): Record<string, string> {
  const scope = `setup/20260101/${region}/${service}/aws4_request`;
  return { authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=none` };
}

async function asked(url: string, init: RequestInit): Promise<string> {
  const answer = await fetch(url, init);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${text}`);
  return text;
}

async function answerOf(url: string): Promise<Response | undefined> {
  return fetch(url).catch(() => undefined);
}

const AZURITE = join(import.meta.dirname, '../servers/node_modules/azurite/dist/src/blob/main.js');
export const azurite: Requirement = { met: existsSync(AZURITE), lacks: 'azurite (test/servers)' };

/** A server of Azure Blob Storage with one account. */
export interface AzureServer extends AsyncDisposable {
  /** `http://127.0.0.1:port/account`, or `https`. */
  readonly accountUrl: string;
  readonly host: string;
  readonly account: string;
  readonly key: string;
}

/** Starts Microsoft's own emulator, which checks each request's signature. With a certificate it takes tokens too. */
export async function startAzurite(tls?: CertificateFiles): Promise<AzureServer> {
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const [account, key] = ['builder', Buffer.from('the key of the test account').toString('base64')];
  const places = ['--blobHost', '127.0.0.1', '--blobPort', String(port), '--location', scratchDirectory('azurite')];
  const secure = tls === undefined ? [] : ['--oauth', 'basic', '--cert', tls.certificate, '--key', tls.key];
  const daemon = await startDaemon({
    program: process.execPath,
    args: [AZURITE, ...places, '--skipApiVersionCheck', ...secure],
    env: { AZURITE_ACCOUNTS: `${account}:${key}` },
    logFile: join(scratchDirectory('azure'), 'log'),
    isReady: () => accepts(port),
  });
  const accountUrl = `${tls === undefined ? 'http' : 'https'}://${host}/${account}`;
  return { accountUrl, host, account, key, [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose]() };
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
