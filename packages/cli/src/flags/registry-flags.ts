import type { RegistryOptions } from '../config/registries/registry-rules.ts';
import type { Flags, FlagValues } from './args.ts';

/** The options of commands that use registries. */
export const registryFlags = {
  'insecure-registry': {
    kind: 'list',
    value: 'HOST[:PORT]',
    help: 'Use plain HTTP, or HTTPS without verification, for this registry',
  },
  'registry-map': { kind: 'list', value: 'REGISTRY=MIRROR[/PATH]', help: 'Look for images of a registry there first' },
  'registry-mirror': {
    kind: 'list',
    value: 'HOST[/PATH]',
    help: 'Look for images of Docker Hub there first ($TBUILD_REGISTRY_MIRRORS: either form, ";" between)',
  },
  'skip-default-registry-fallback': {
    kind: 'switch',
    help: 'Look for images that have mirrors nowhere else ($TBUILD_REGISTRY_MIRRORS_ONLY=1)',
  },
} as const satisfies Flags;

/** Reads these options. */
export function registryOptions(flags: FlagValues<typeof registryFlags>): RegistryOptions {
  return {
    insecure: flags['insecure-registry'] ?? [],
    mirrors: [...(flags['registry-mirror'] ?? []), ...(flags['registry-map'] ?? [])],
    mirrorsOnly: flags['skip-default-registry-fallback'] === true,
  };
}
