import { readFileSync } from 'node:fs';
import { errnoName, TbuildError } from '@tbuild/errors';
import type { Environment } from './environment.ts';

/** The files in which Debian, Fedora, SUSE and Alpine keep the certificates that Go programs such as Docker trust. */
const SYSTEM = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/**
 * Returns certificates (PEM) to trust beside Node's own: those of the machine or of SSL_CERT_FILE, and those of
 * NODE_EXTRA_CA_CERTS.
 * @throws TbuildError USAGE when a file that a variable names cannot be read.
 */
export function trustedCertificates(variables: Environment['variables']): string {
  const { SSL_CERT_FILE, NODE_EXTRA_CA_CERTS, TBUILD_EXTRA_CA_CERTS = NODE_EXTRA_CA_CERTS } = variables;
  const system = SSL_CERT_FILE ? readNamed('SSL_CERT_FILE', SSL_CERT_FILE) : firstOf(SYSTEM);
  const extra = TBUILD_EXTRA_CA_CERTS ? readNamed('NODE_EXTRA_CA_CERTS', TBUILD_EXTRA_CA_CERTS) : '';
  return `${system}\n${extra}`;
}

function readNamed(variable: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const reason = errnoName(cause) === 'ENOENT' ? 'there is no such file' : 'it cannot be read';
    throw new TbuildError('USAGE', `Certificates ${JSON.stringify(file)} of ${variable}: ${reason}`, { cause });
  }
}

function firstOf(files: readonly string[]): string {
  for (const file of files) {
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR', 'EACCES'].includes(errnoName(error) ?? '')) throw error;
    }
  }
  return '';
}
