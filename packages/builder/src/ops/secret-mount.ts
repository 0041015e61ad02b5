import { TbuildError } from '@tbuild/errors';
import type { SandboxMount } from '@tbuild/executor';
import type { RunMount } from '@tbuild/graph';
import type { OpEnvironment } from './op-environment.ts';
import type { StepFiles } from './step-files.ts';

type SecretMount = Extract<RunMount, { type: 'secret' | 'ssh' }>;

/**
 * `--mount=type=secret`: a file, a variable or both. Its value is in no key, layer or history.
 * @throws TbuildError NOT_FOUND for a required secret that the build was not given, UNSUPPORTED for ssh.
 */
export function openSecretMount(
  mount: SecretMount,
  files: StepFiles,
  env: Pick<OpEnvironment, 'readSecret'>,
): { readonly mount?: SandboxMount; readonly variable?: string } {
  if (mount.type === 'ssh') {
    if (!mount.required) return {};
    throw new TbuildError('UNSUPPORTED', 'RUN --mount=type=ssh is not supported yet');
  }
  const value = env.readSecret(mount.id);
  if (value === undefined) {
    if (!mount.required) return {};
    throw new TbuildError('NOT_FOUND', `Secret ${JSON.stringify(mount.id)} is required and was not given`, {
      hint: `Give it with --secret id=${mount.id},src=FILE`,
    });
  }
  const { target, mode, uid, gid } = mount;
  return {
    ...(mount.env === undefined ? {} : { variable: `${mount.env}=${value.toString()}` }),
    ...(target === undefined
      ? {}
      : { mount: { type: 'bind', source: files.write('secret', value, { mode, uid, gid }), target, readonly: true } }),
  };
}
