import { resolve } from 'node:path';
import type { BuildRequest } from '@tbuild/builder';
import type { BuildSettings } from '@tbuild/spec';
import { insecureCaches } from '../request/cache-spec.ts';
import { insecureRegistries } from '../request/outputs.ts';
import type { ServicesOptions } from './create-services.ts';
import { loopbackProxyPorts } from './step-network.ts';

/** Returns how services are created for a build of these requests, or for a shell in one of its steps. */
export function servicesOptions(
  root: string,
  settings: BuildSettings,
  requests: readonly BuildRequest[],
): ServicesOptions {
  return {
    root,
    registries: {
      insecure: [
        ...(settings.insecureRegistries ?? []),
        ...requests.flatMap(insecureRegistries),
        ...requests.flatMap(insecureCaches),
      ],
      mirrors: settings.registryMirrors,
      mirrorsOnly: settings.mirrorsOnly,
      ca: settings.ca,
      certificates: settings.registryCertificates,
      minDownloadRate: settings.minDownloadRate,
      serverTimeout: settings.serverTimeout,
    },
    unpackLimits: settings.unpackLimits,
    isolation: settings.isolation,
    cdiSpecDirs: settings.cdiSpecDirs,
    loopbackPorts: loopbackProxyPorts(requests),
  };
}

/** Returns settings that mean the same in every working directory. */
export function absoluteSettings(settings: BuildSettings, cwd: string): BuildSettings {
  const path = (file: string | undefined): string | undefined => (file === undefined ? undefined : resolve(cwd, file));
  const paths = (files: readonly string[] | undefined) => files?.map((file) => resolve(cwd, file));
  const certificates = Object.entries(settings.registryCertificates ?? {}).map(([host, one]) => [
    host,
    { ca: path(one.ca), certificate: path(one.certificate), key: path(one.key) },
  ]);
  return {
    ...settings,
    ca: paths(settings.ca),
    cdiSpecDirs: paths(settings.cdiSpecDirs),
    registryCertificates: Object.fromEntries(certificates),
  };
}
