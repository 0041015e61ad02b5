import { X509Certificate } from 'node:crypto';
import { TbuildError } from '@tbuild/errors';
import { readLimitedFile } from '@tbuild/linux';

const CERTIFICATE = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/**
 * Reads the certificates in the files of `--ca`. Leaves out what else the files have, such as a private key.
 * @throws TbuildError USAGE for a file that is missing or has no certificate.
 */
export function addedCertificates(files: readonly string[]): string {
  return [...new Set(files.flatMap(certificatesIn))].map((certificate) => `${certificate}\n`).join('');
}

function certificatesIn(file: string): readonly string[] {
  const what = `File ${JSON.stringify(file)} of --ca`;
  const bytes = readLimitedFile(file, { what, code: 'USAGE' });
  if (bytes === undefined) throw new TbuildError('USAGE', `${what} does not exist`);
  const found = bytes.toString().replaceAll('\r\n', '\n').match(CERTIFICATE);
  if (found === null)
    throw new TbuildError('USAGE', `${what} has no certificate: expected PEM, which has "BEGIN CERTIFICATE" in it`, {
      hint: 'Convert it: openssl x509 -inform der -in FILE -out FILE.pem',
    });
  for (const text of found) requireReadable(text, what);
  return found;
}

function requireReadable(text: string, what: string): void {
  try {
    void new X509Certificate(text);
  } catch (cause) {
    throw new TbuildError('USAGE', `${what} has a damaged certificate`, { cause });
  }
}
