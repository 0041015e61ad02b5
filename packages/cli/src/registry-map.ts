import { TbuildError } from '@tbuild/errors';

/**
 * Where images of a registry are looked for first, of texts such as `docker.io=mirror.example/hub,other.example`; several
 * are separated by `;`, and one without `=` is for docker.io.
 * @throws TbuildError USAGE
 */
export function parseRegistryMap(texts: readonly string[]): (registry: string) => readonly string[] {
  const mirrors = new Map<string, readonly string[]>();
  for (const text of texts.flatMap((several) => several.split(';'))) {
    if (text.trim() === '') continue;
    const at = text.indexOf('=');
    const registry = hostOf(at < 0 ? 'docker.io' : text.slice(0, at));
    const added = text
      .slice(at + 1)
      .split(',')
      .map(hostOf)
      .filter((one) => one !== '');
    if (registry === '' || added.length === 0) {
      throw new TbuildError('USAGE', `Registry map ${JSON.stringify(text)} is not of the form REGISTRY=MIRROR[/PATH]`);
    }
    mirrors.set(registry, [...(mirrors.get(registry) ?? []), ...added]);
  }
  return (registry) => mirrors.get(registry) ?? [];
}

function hostOf(text: string): string {
  const bare = text
    .trim()
    .replace(/^https?:\/\//, '')
    .replace(/\/+$/, '');
  return bare === 'index.docker.io' ? 'docker.io' : bare;
}
