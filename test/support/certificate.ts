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
