import { TbuildError } from '@tbuild/errors';
import type { Graph, Step } from '@tbuild/graph';
import { deviceEntitlement } from '../devices/cdi-devices.ts';
import type { CdiDevice } from '../devices/cdi-spec.ts';
import type { BuildRequest, Entitlement } from '../request.ts';

/** What tells which devices need no grant. */
export interface EntitlementPorts {
  cdiDevices(): Promise<readonly CdiDevice[]>;
}

/**
 * Refuses steps that need an entitlement which the user has not granted, before the first step runs. Choosing a network
 * for the whole build grants it.
 *
 * @throws TbuildError DOCKERFILE_SEMANTICS
 */
export async function requireEntitlements(
  graph: Graph,
  { allow, network }: Pick<BuildRequest, 'allow' | 'network'>,
  ports: EntitlementPorts,
): Promise<void> {
  const allowed = new Set<Entitlement>(network === 'host' ? [...allow, 'network.host'] : allow);
  for (const step of graph.steps.values()) {
    const missing =
      neededBy(step).find((entitlement) => !allowed.has(entitlement)) ?? (await missingDevice(step, allowed, ports));
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

async function missingDevice(
  { op }: Step,
  allowed: ReadonlySet<Entitlement>,
  ports: EntitlementPorts,
): Promise<Entitlement | undefined> {
  if (op.kind !== 'run' || op.devices === undefined || allowed.has('device')) return undefined;
  const devices = await ports.cdiDevices();
  return op.devices
    .map((device) => deviceEntitlement(device, devices, allowed))
    .find((entitlement) => entitlement !== undefined);
}
