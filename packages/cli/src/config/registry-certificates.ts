import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoName, TbuildError } from '@tbuild/errors';
import { readLimitedFile } from '@tbuild/linux';
import type { RegistryCertificates } from '@tbuild/registry';
import type { CertificateFiles } from '@tbuild/spec';
import type { Environment } from './environment.ts';

/**
 * Reads the certificates that the user gives for a registry.
 * @throws TbuildError USAGE for a file that cannot be read.
 */
export function givenCertificates({ ca, certificate, key }: CertificateFiles): RegistryCertificates {
  return {
    ...(ca === undefined ? {} : { ca: readGiven(ca) }),
    ...(certificate === undefined || key === undefined
      ? {}
      : { client: { certificate: readGiven(certificate), key: readGiven(key) } }),
  };
}

function readGiven(path: string): string {
  const what = `Certificate ${JSON.stringify(path)}`;
  const bytes = readLimitedFile(path, { what, code: 'USAGE' });
  if (bytes !== undefined) return bytes.toString();
  throw new TbuildError('USAGE', `${what} does not exist`);
}

/**
 * Returns the certificates for a registry, from where Docker and podman look for them: `certs.d/HOST[:PORT]/` with
 * `*.crt`, and `*.cert` beside its `*.key`.
 */
export function registryCertificates(
  registry: string,
  { variables: { HOME } }: Environment,
): RegistryCertificates | undefined {
  const own = HOME === undefined ? [] : [join(HOME, '.docker'), join(HOME, '.config/containers')];
  for (const place of [...own, '/etc/docker', '/etc/containers']) {
    const found = readDirectory(join(place, 'certs.d', registry));
    if (found !== undefined) return found;
  }
  return undefined;
}

function readDirectory(directory: string): RegistryCertificates | undefined {
  const names = listDirectory(directory);
  const read = (name: string): string => readFileSync(join(directory, name), 'utf8');
  const authorities = names.filter((name) => name.endsWith('.crt')).map(read);
  const pair = names.find((name) => name.endsWith('.cert') && names.includes(name.replace(/cert$/, 'key')));
  if (authorities.length === 0 && pair === undefined) return undefined;
  return {
    ...(authorities.length === 0 ? {} : { ca: authorities.join('\n') }),
    ...(pair === undefined ? {} : { client: { certificate: read(pair), key: read(pair.replace(/cert$/, 'key')) } }),
  };
}

function listDirectory(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(errnoName(error) ?? '')) return [];
    throw error;
  }
}
