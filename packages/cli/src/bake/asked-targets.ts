import { specOf, type Resolved } from '@tbuild/bake';
import type { Environment } from '../config/environment.ts';
import { parseSecrets, rebuildSecrets } from '../request/secrets.ts';
import { sshSources } from '../request/ssh-sources.ts';
import type { AskedTarget } from '../services/open-build.ts';
import { withinTarget } from './within-target.ts';

/**
 * Returns the targets as builds take them. Secrets in pipes are read, so it is called once.
 * @throws TbuildError BAKE_FILE with the name of the target, also for secrets and agents that do not exist.
 */
export function askedTargets(
  { targets, links, places }: Pick<Resolved, 'targets' | 'links' | 'places'>,
  env: Environment,
): readonly AskedTarget[] {
  return [...targets].map(([name, target]) => {
    const location = places.get(name);
    return withinTarget({ name, location }, () => {
      const { spec, secrets } = specOf(target);
      sshSources(spec.ssh ?? {}, env);
      return {
        name,
        location,
        spec: { ...spec, rebuildSecrets: rebuildSecrets(secrets) },
        isLink: links.has(name),
        secretScope: JSON.stringify(secrets),
        readSecret: parseSecrets(secrets, env),
      };
    });
  });
}

/**
 * Checks the targets without what they take from this machine: secrets and agents need not exist.
 * @throws TbuildError BAKE_FILE with the name of the target.
 */
export function checkTargets({ targets, places }: Pick<Resolved, 'targets' | 'places'>): void {
  for (const [name, target] of targets)
    withinTarget({ name, location: places.get(name) }, () => rebuildSecrets(specOf(target).secrets));
}
