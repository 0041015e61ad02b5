import { TbuildError } from '@tbuild/errors';
import type { SandboxMount } from '@tbuild/executor';
import type { RunMount } from '@tbuild/graph';
import type { Secrets } from '../../secrets.ts';
import type { StepFiles } from '../step-files.ts';

type SecretMount = Extract<RunMount, { type: 'secret' | 'ssh' }>;

/** What a secret adds to a sandbox. */
export interface OpenSecret {
  readonly value: Buffer;
  readonly mount?: SandboxMount;
  readonly variable?: string;
}

/**
 * Opens a `--mount=type=secret`: a file in memory, a variable or both. A missing optional secret is no file and an empty
 * variable. Its value is in no key, layer or history.
 *
 * @throws TbuildError NOT_FOUND for a missing required secret.
 */
export function openSecretMount(mount: SecretMount, files: StepFiles, { readSecret }: Secrets): OpenSecret | undefined {
  const value = readSecret(mount.id);
  const { target, env, mode, uid, gid } = mount;
  if (value === undefined) {
    if (!mount.required) return env === undefined ? undefined : { value: Buffer.alloc(0), variable: `${env}=` };
    throw new TbuildError('NOT_FOUND', `Secret ${mount.id}: not found, and this step requires it`, {
      hint: `Pass it with --secret id=${mount.id},src=FILE`,
    });
  }
  return {
    value,
    variable: env === undefined ? undefined : `${env}=${value.toString()}`,
    mount:
      target === undefined
        ? undefined
        : {
            type: 'bind',
            source: files.writeSecret(value, { mode, uid, gid }),
            target,
            readonly: true,
            isSecret: true,
          },
  };
}
