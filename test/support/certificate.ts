import { runChecked } from './run-process.ts';

/** Where openssl is to write a key and its certificate. */
export interface CertificateFiles {
  readonly key: string;
  readonly certificate: string;
}

/** Creates a key and a self-signed certificate for two days; `extension` is in openssl's syntax. */
export async function makeCertificate(name: string, files: CertificateFiles, extension?: string): Promise<void> {
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${name}`];
  const added = extension === undefined ? [] : ['-addext', extension];
  await runChecked('openssl', [...request, ...added, '-keyout', files.key, '-out', files.certificate]);
}

/** Creates an authority, and a certificate of it for 127.0.0.1, or for another `name`; `options` are those of openssl. */
export async function makeAuthority(
  authority: CertificateFiles,
  server: CertificateFiles,
  { name = 'IP:127.0.0.1', options = [] }: { readonly name?: string; readonly options?: readonly string[] } = {},
): Promise<void> {
  await makeCertificate('Private authority', authority, 'keyUsage=critical,keyCertSign,cRLSign');
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=server'];
  const signer = ['-CA', authority.certificate, '-CAkey', authority.key];
  const extensions = ['basicConstraints=critical,CA:FALSE', `subjectAltName=${name}`];
  const added = extensions.flatMap((extension) => ['-addext', extension]);
  await runChecked('openssl', [
    ...request,
    ...signer,
    ...added,
    ...options,
    '-keyout',
    server.key,
    '-out',
    server.certificate,
  ]);
}
