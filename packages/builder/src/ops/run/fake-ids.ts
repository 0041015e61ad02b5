import type { OpenMounts } from './mounts/run-mounts.ts';
import type { StepFiles } from './step-files.ts';

/** In the step's own /dev, so that the name is nowhere in the tree. */
const APT_CONFIG = '/dev/tbuild-apt.conf';

/** Keeps apt from becoming a user of its own: it checks whether it has, and with faked ids it has not. */
export function aptAsRoot(files: StepFiles): Pick<OpenMounts, 'mounts' | 'env'> {
  const source = files.write('apt.conf', 'APT::Sandbox::User "root";\n', { mode: 0o644 });
  return {
    mounts: [{ type: 'bind', source, target: APT_CONFIG, readonly: true }],
    env: [`APT_CONFIG=${APT_CONFIG}`],
  };
}
