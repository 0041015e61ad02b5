import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Services } from '@tbuild/builder';
import { addedCertificates } from '../config/added-certificates.ts';
import type { Environment } from '../config/environment.ts';
import { trustedCertificates } from '../config/trusted-certificates.ts';
import { openOutside } from './run-program.ts';

/** What knows the certificates of `--ca` besides connections: steps, and git. Disposing removes the file for git. */
export type AddedTrust = Pick<Services, 'certificates' | 'runProgram'> & Disposable;

/**
 * Reads the files of `--ca`.
 * @throws TbuildError USAGE for a file without certificates.
 */
export function openAddedTrust(files: readonly string[] = [], env: Environment): AddedTrust {
  if (files.length === 0) {
    return { runProgram: (args, options) => openOutside(env).run(args, options), [Symbol.dispose]: () => {} };
  }
  const certificates = { added: addedCertificates(files), machine: trustedCertificates(env.variables) };
  let directory: string | undefined;
  const file = (): string => {
    if (directory === undefined) {
      directory = mkdtempSync(join(tmpdir(), 'tbuild-ca-'));
      writeFileSync(join(directory, 'ca.pem'), `${trustedByGit(env)}\n${certificates.added}`);
    }
    return join(directory, 'ca.pem');
  };
  return {
    certificates,
    runProgram: (args, options) => openOutside(env).run(['env', `GIT_SSL_CAINFO=${file()}`, ...args], options),
    [Symbol.dispose]() {
      if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
    },
  };
}

function trustedByGit({ variables }: Environment): string {
  const { GIT_SSL_CAINFO } = variables;
  return GIT_SSL_CAINFO ? readFileSync(GIT_SSL_CAINFO, 'utf8') : trustedCertificates(variables);
}
