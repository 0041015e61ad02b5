import { TbuildError } from '@tbuild/errors';
import type { Graph, Step } from '@tbuild/graph';
import type { BuildRequest, Entitlement } from '../request.ts';

/**
 * Refuses steps that need an entitlement which the user has not granted, before the first step runs. Choosing a network
 * for the whole build grants it.
 *
 * @throws TbuildError DOCKERFILE_SEMANTICS
 */
export function requireEntitlements(graph: Graph, { allow, network }: Pick<BuildRequest, 'allow' | 'network'>): void {
  const allowed = new Set<Entitlement>(network === 'host' ? [...allow, 'network.host'] : allow);
  for (const step of graph.steps.values()) {
    const missing = neededBy(step).find((entitlement) => !allowed.has(entitlement));
    if (missing === undefined) continue;
    throw new TbuildError('DOCKERFILE_SEMANTICS', `"${missing}" is not allowed`, {
      hint: `Use --allow ${missing} if you trust this Dockerfile`,
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
