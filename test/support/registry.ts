import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { makeCertificate } from './certificate.ts';
import { freePort, startDaemon } from './daemon.ts';
import { runChecked } from './run-process.ts';
import { scratchDirectory } from './scratch.ts';

export interface RegistryOptions {
  /** Requires HTTP basic authentication as this user. */
  readonly auth?: { readonly username: string; readonly password: string };
  /** Serves HTTPS with a self-signed certificate, which `certificate` names. */
  readonly tls?: boolean;
  /** Requires a client certificate; the server's own is accepted. */
  readonly demandsCertificate?: boolean;
  /** Refuses to delete images, as docker-registry does by default. */
  readonly keeps?: boolean;
  /** Additional names in the certificate. */
  readonly names?: readonly string[];
}

export interface Registry extends AsyncDisposable {
  /** `127.0.0.1:port`, the first part of an image reference. */
  readonly host: string;
  /** PEM file of the certificate, when it serves HTTPS. */
  readonly certificate?: string;
  /** Loses a blob, like a registry with a faulty garbage collection. */
  lose(digest: string): void;
  /** PEM file of its key. */
  readonly key?: string;
}

/** Starts Debian's docker-registry on a free loopback port, with its own empty storage. */
export async function startRegistry(options: RegistryOptions = {}): Promise<Registry> {
  const directory = scratchDirectory('registry');
  const host = `127.0.0.1:${await freePort()}`;
  const certificate = options.tls ? await makeServerCertificate(directory, options.names) : undefined;
  const key = certificate && join(directory, 'key.pem');
  const clientcas = options.demandsCertificate ? { clientcas: [certificate] } : {};
  const configuration = {
    version: '0.1',
    log: { level: 'warn' },
    storage: { filesystem: { rootdirectory: join(directory, 'storage') }, delete: { enabled: options.keeps !== true } },
    http: { addr: host, ...(certificate && { tls: { certificate, key, ...clientcas } }) },
    ...(options.auth && { auth: { htpasswd: { realm: 'test', path: await makePasswords(directory, options.auth) } } }),
  };
  mkdirSync(join(directory, 'storage'));
  // YAML contains JSON.
  writeFileSync(join(directory, 'config.yml'), JSON.stringify(configuration));
  const daemon = await startDaemon({
    program: 'docker-registry',
    args: ['serve', join(directory, 'config.yml')],
    logFile: join(directory, 'log'),
    isReady: () => answers(`${options.tls ? 'https' : 'http'}://${host}/v2/`, { certificate, key }),
  });
  return {
    host,
    certificate,
    lose(digest) {
      const hash = digest.slice('sha256:'.length);
      rmSync(join(directory, 'storage/docker/registry/v2/blobs/sha256', hash.slice(0, 2), hash, 'data'));
    },
    key,
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function answers(url: string, shown: { certificate?: string; key?: string }): Promise<boolean> {
  const read = (path?: string) => (path === undefined ? undefined : readFileSync(path));
  const options = { rejectUnauthorized: false, cert: read(shown.certificate), key: read(shown.key) };
  return new Promise((resolve) => {
    const send = url.startsWith('https:') ? httpsRequest : httpRequest;
    const request = send(url, options, (response) => {
      response.resume();
      resolve(true);
    });
    request.on('error', () => resolve(false)).end();
  });
}

async function makeServerCertificate(directory: string, names: readonly string[] = []): Promise<string> {
  const certificate = join(directory, 'certificate.pem');
  const alternatives = ['IP:127.0.0.1', ...names.map((name) => `DNS:${name}`)].join(',');
  const files = { key: join(directory, 'key.pem'), certificate };
  await makeCertificate('127.0.0.1', files, `subjectAltName=${alternatives}`);
  return certificate;
}

async function makePasswords(directory: string, auth: { username: string; password: string }): Promise<string> {
  const path = join(directory, 'htpasswd');
  // docker-registry accepts bcrypt only; Perl's crypt reaches the C library's.
  const script = 'print "$ARGV[0]:", crypt($ARGV[1], "\\$2b\\$04\\$abcdefghijklmnopqrstuu"), "\\n"';
  writeFileSync(path, await runChecked('perl', ['-e', script, auth.username, auth.password]));
  return path;
}
