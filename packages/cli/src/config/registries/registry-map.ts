import { TbuildError } from '@tbuild/errors';

/** Where to look for images of a registry first. */
export interface RegistryMap {
  /** `host[:port][/path]`, in order. */
  mirrorsOf(registry: string): readonly string[];
  /** The hosts of mirrors that were written with `http://`. */
  readonly insecure: readonly string[];
}

/**
 * Reads texts such as `docker.io=mirror.example/hub,other.example`. Several are separated by `;`; one without `=` is
 * for docker.io.
 * @throws TbuildError USAGE
 */
export function parseRegistryMap(texts: readonly string[]): RegistryMap {
  const mirrors = new Map<string, readonly string[]>();
  const insecure: string[] = [];
  for (const text of texts.flatMap((several) => several.split(';'))) {
    if (text.trim() === '') continue;
    const at = text.indexOf('=');
    const registry = nameOf(at < 0 ? 'docker.io' : text.slice(0, at));
    const added = text
      .slice(at + 1)
      .split(',')
      .filter((one) => one.trim() !== '');
    if (text.includes('@'))
      throw new TbuildError('USAGE', 'A registry map must not hold passwords', {
        hint: 'Use tbuild login MIRROR --password-stdin',
      });
    if (registry === '' || added.length === 0) {
      throw new TbuildError('USAGE', `Invalid registry map ${JSON.stringify(text)}: expected REGISTRY=MIRROR[/PATH]`);
    }
    for (const one of added) if (/^\s*http:/i.test(one)) insecure.push(hostOf(nameOf(one)));
    mirrors.set(registry, [...(mirrors.get(registry) ?? []), ...added.map(nameOf).map(checked)]);
  }
  return { mirrorsOf: (registry) => mirrors.get(registry) ?? [], insecure };
}

function nameOf(text: string): string {
  const bare = text
    .trim()
    .replace(/^https?:\/\//i, '')
    .replace(/\/+$/, '');
  return bare === 'index.docker.io' ? 'docker.io' : bare;
}

// In the name of an image, a first part without dot or port is no registry.
function checked(mirror: string): string {
  const host = hostOf(mirror);
  if (/[.:]/.test(host) || host === 'localhost') return mirror;
  throw new TbuildError('USAGE', `Mirror ${JSON.stringify(mirror)} does not name a registry`, {
    hint: `Write its port, as in ${host}:443`,
  });
}

/** Returns the host of `host[:port][/path]`, with its port. */
export function hostOf(name: string): string {
  return name.split('/')[0] ?? name;
}
