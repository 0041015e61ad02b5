import { VERSION } from '../startup/version.ts';

/** The version of buildx whose command line this is; tools compare it with the least that they need. */
const BUILDX = 'v0.36.0';

/** Returns what Docker's CLI asks a plug-in for before it runs it. */
export function pluginMetadata(plugin: string): string {
  return `${JSON.stringify({
    SchemaVersion: '0.1.0',
    Vendor: 'tbuild',
    Version: plugin === 'buildx' ? `${BUILDX}-tbuild-${VERSION}` : VERSION,
    ShortDescription: 'Build images with tbuild: no daemon, no root',
  })}\n`;
}

/** Returns the version in the form of buildx. */
export function pluginVersion(): string {
  return `github.com/docker/buildx ${BUILDX} tbuild-${VERSION}\n`;
}
