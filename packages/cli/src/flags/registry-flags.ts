import { TbuildError } from '@tbuild/errors';
import type { CertificateFiles } from '@tbuild/spec';
import type { RegistryOptions } from '../config/registries/registry-rules.ts';
import { waitLimits } from '../config/registries/wait-limits.ts';
import type { Flags, FlagValues } from './args.ts';
import { requirePair } from './pairs.ts';

/** The options of commands that use registries. */
export const registryFlags = {
  ca: {
    kind: 'list',
    value: 'FILE',
    help: 'Trust the authorities of a file (PEM) here and in RUN steps; they get into no image and no key',
  },
  'insecure-registry': {
    kind: 'list',
    value: 'HOST[:PORT]',
    help: 'Use plain HTTP, or HTTPS without verification, for this registry',
  },
  'min-download-rate': {
    kind: 'text',
    value: 'SIZE[/SPAN]',
    help: 'Ask again where a server is slower for so long (1kib/30s, 0: never; $TBUILD_MIN_DOWNLOAD_RATE)',
  },
  'registry-certificate': {
    kind: 'list',
    hidden: true,
    value: 'HOST=FILE',
    help: 'Trust the certificates of a file for this registry',
  },
  'registry-client-cert': {
    kind: 'list',
    hidden: true,
    value: 'HOST=CERTIFICATE,KEY',
    help: 'Show this certificate to this registry',
  },
  'registry-map': { kind: 'list', value: 'REGISTRY=MIRROR[/PATH]', help: 'Look for images of a registry there first' },
  'registry-mirror': {
    kind: 'list',
    value: 'HOST[/PATH]',
    help: 'Look for images of Docker Hub there first ($TBUILD_REGISTRY_MIRRORS: either form, ";" between)',
  },
  'server-timeout': {
    kind: 'text',
    value: 'SPAN',
    help: 'Give up on a server that is silent for that long (2m; $TBUILD_SERVER_TIMEOUT)',
  },
  'skip-default-registry-fallback': {
    kind: 'switch',
    help: 'Look for images that have mirrors nowhere else ($TBUILD_REGISTRY_MIRRORS_ONLY=1)',
  },
} as const satisfies Flags;

/**
 * Reads these options.
 * @throws TbuildError USAGE for a map without a mirror, or a limit in another form.
 */
export function registryOptions(flags: FlagValues<typeof registryFlags>): RegistryOptions {
  const limits = { minDownloadRate: flags['min-download-rate'], serverTimeout: flags['server-timeout'] };
  // Refuses another form before anything else is done.
  waitLimits(limits, {});
  return {
    insecure: flags['insecure-registry'] ?? [],
    mirrors: [...(flags['registry-mirror'] ?? []), ...(flags['registry-map'] ?? []).map(mapping)],
    mirrorsOnly: flags['skip-default-registry-fallback'] === true,
    ca: flags.ca,
    certificates: certificates(flags),
    ...limits,
  };
}

function certificates(flags: FlagValues<typeof registryFlags>): RegistryOptions['certificates'] {
  const found: Record<string, CertificateFiles> = {};
  for (const text of flags['registry-certificate'] ?? []) {
    const [host, ca] = requirePair(text, '--registry-certificate', 'HOST=FILE');
    found[host] = { ...found[host], ca };
  }
  for (const text of flags['registry-client-cert'] ?? []) {
    const [host, files] = requirePair(text, '--registry-client-cert', CLIENT);
    const [certificate = '', key = ''] = files.split(',');
    if (certificate === '' || key === '')
      throw new TbuildError('USAGE', `Invalid --registry-client-cert ${JSON.stringify(text)}: expected ${CLIENT}`);
    found[host] = { ...found[host], certificate, key };
  }
  return Object.keys(found).length === 0 ? undefined : found;
}

const CLIENT = 'HOST=CERTIFICATE,KEY';

/** A mirror alone would be one of Docker Hub, so `docker.io` without one would go unnoticed. */
function mapping(text: string): string {
  for (const one of text.split(';'))
    if (one.trim() !== '') requirePair(one, '--registry-map', 'REGISTRY=MIRROR[/PATH]');
  return text;
}
