import { TbuildError } from '@tbuild/errors';
import type { Graph, Step } from '@tbuild/graph';
import type { BuildRequest, Entitlement } from '../request.ts';

/**
 * Refuses steps that want more than the one who builds has allowed, before the first one runs. The network that is chosen
 * for the whole build is allowed by that.
 *
 * @throws TbuildError DOCKERFILE_SEMANTICS
 */
export function requireEntitlements(graph: Graph, { allow, network }: Pick<BuildRequest, 'allow' | 'network'>): void {
  const allowed = new Set<Entitlement>(network === 'host' ? [...allow, 'network.host'] : allow);
  for (const step of graph.steps.values()) {
    const missing = neededBy(step).find((entitlement) => !allowed.has(entitlement));
    if (missing === undefined) continue;
    throw new TbuildError('DOCKERFILE_SEMANTICS', `"${missing}" is not allowed`, {
      hint: `Allow it with --allow ${missing}, if you trust this Dockerfile`,
      location: step.location,
    });
  }
}

function neededBy({ op }: Step): readonly Entitlement[] {
  if (op.kind !== 'run') return [];
  return [
    ...(op.network === 'host' ? ['network.host' as const] : []),
    ...(op.security === 'insecure' ? ['security.insecure' as const] : []),
  ];
}
