import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { linkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errnoName } from '@tbuild/errors';
import { readSecretKey, renameOver, type StoreLayout, writeAtomically } from '@tbuild/store';
import type { BuildRequest } from '../../../request.ts';
import type { Secrets } from '../../secrets.ts';

/** What keying secrets uses. */
export interface SecretPorts extends Secrets, Pick<BuildRequest, 'rebuildSecrets'> {
  /** The key that the user gives the machines that share a cache. Defaults to one of the store's own. */
  readonly secretKey?: string;
  readonly store: Pick<StoreLayout, 'secretKey' | 'temporary'>;
}

/**
 * Returns what stands for a secret in the key of its step, if its change runs the step again. Without the key of the
 * hash nobody can find out the secret by trying values.
 */
export function hashedSecret(
  id: string,
  { rebuildSecrets, readSecret, secretKey, store }: SecretPorts,
): string | undefined {
  const value = rebuildSecrets.includes(id) ? readSecret(id) : undefined;
  if (value === undefined) return undefined;
  const hash = createHmac('sha256', secretKey ?? ownKey(store));
  return hash.update(`${id}\0`).update(value).digest('hex');
}

/** Reads the key of the store, and makes it for the first time or when it is damaged. Of several processes, the first one makes it. */
function ownKey(store: Pick<StoreLayout, 'secretKey' | 'temporary'>): string {
  const { secretKey: file, temporary } = store;
  const known = readSecretKey(store);
  if (known !== undefined) return known;
  const made = join(temporary, `secret-key-${randomUUID()}`);
  writeAtomically(made, randomBytes(32).toString('hex'), { mode: 0o600 });
  try {
    linkSync(made, file);
  } catch (error) {
    if (errnoName(error) !== 'EEXIST') throw error;
    // What another process has just made is a key.
    if (readSecretKey(store) === undefined) renameOver(made, file);
  } finally {
    rmSync(made, { force: true });
  }
  return readSecretKey(store) ?? ownKey(store);
}
