import { join } from 'node:path';
import { loadCredentials, type CredentialSource, type RunHelper } from '@tbuild/registry';
import { isProgram } from '../is-program.ts';

/** The registries of clouds, and the names of the credential helpers for them. */
const CLOUDS: readonly (readonly [registry: RegExp, ...helpers: string[]])[] = [
  [/^\d{12}\.dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$|^public\.ecr\.aws$/, 'ecr-login'],
  [/^(?:[a-z]+\.)?gcr\.io$|^[a-z0-9-]+-docker\.pkg\.dev$/, 'gcr', 'gcloud'],
  [/^[a-z0-9-]+\.azurecr\.(?:io|cn|us)$/, 'acr-env', 'acr-login'],
];

export interface CloudOptions {
  /** The directories in which to look for helpers. */
  readonly path: readonly string[];
  readonly runHelper: RunHelper;
}

/**
 * Finds credentials for registries of Amazon, Google and Microsoft with their helpers, where one is installed. A helper
 * that has none leaves the request anonymous, since these registries have public images too.
 */
export function cloudCredentials({ path, runHelper }: CloudOptions): CredentialSource {
  return async (registry, repository) => {
    const [, ...names] = CLOUDS.find(([pattern]) => pattern.test(registry)) ?? [];
    const helper = names.find((name) =>
      path.some((directory) => isProgram(join(directory, `docker-credential-${name}`))),
    );
    if (helper === undefined) return undefined;
    const text = JSON.stringify({ credHelpers: { [registry]: helper } });
    const ask = loadCredentials({ files: [{ name: `docker-credential-${helper}`, text }], runHelper });
    return ask(registry, repository).catch(() => undefined);
  };
}
