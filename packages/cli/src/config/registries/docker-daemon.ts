import { readFileSync } from 'node:fs';
import { errnoName, TbuildError } from '@tbuild/errors';

/** The registry settings of Docker's daemon on this machine. */
export interface DaemonRegistries {
  /** Mirrors of Docker Hub, as URLs. */
  readonly mirrors: readonly string[];
  readonly insecure: readonly string[];
}

/**
 * Reads `daemon.json`.
 * @throws TbuildError USAGE when the file is not valid.
 */
export function readDockerDaemon(file = '/etc/docker/daemon.json'): DaemonRegistries {
  const document = readJson(file);
  const list = (name: string): readonly string[] => {
    const value: unknown = document[name];
    return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
  };
  return { mirrors: list('registry-mirrors'), insecure: list('insecure-registries') };
}

function readJson(file: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(errnoName(cause) ?? '')) return {};
    throw new TbuildError('USAGE', `Configuration ${JSON.stringify(file)} is not valid JSON`, { cause });
  }
}
