import { recordOf } from '@tbuild/oci';

/** A package installed in an image. */
export interface InstalledPackage {
  readonly kind: 'deb' | 'apk' | 'rpm' | 'npm';
  readonly name: string;
  readonly version: string;
  readonly architecture?: string;
  /** As the package declares it. */
  readonly license?: string;
  /** rpm only: compared before the version. */
  readonly epoch?: number;
  /** Name of the maintainer, as the package declares it. */
  readonly supplier?: string;
  /** Name of the vendor, if an organization made the package. */
  readonly organization?: string;
  /** The source package that it was built from. */
  readonly upstream?: string;
  /** The database file that lists it, relative to the image's root. */
  readonly source: string;
}

/** The distribution of an image, from /etc/os-release. */
export interface Distribution {
  readonly id: string;
  readonly version?: string;
}

/** Parses dpkg's status file, or one of the fragments in distroless images: paragraphs of `Field: value`. */
export function parseDpkgStatus(text: string, source: string): readonly InstalledPackage[] {
  return text.split(/\n\n+/).flatMap((paragraph) => {
    const fields = new Map<string, string>();
    for (const line of paragraph.split('\n')) {
      const [, name, value] = /^([A-Za-z-]+):[ \t]*(.*)$/.exec(line) ?? [];
      if (name !== undefined && value !== undefined) fields.set(name.toLowerCase(), value);
    }
    const [name, version, status = 'install ok installed'] = ['package', 'version', 'status'].map((field) =>
      fields.get(field),
    );
    if (!name || !version || !status.endsWith(' installed')) return [];
    return [
      {
        kind: 'deb',
        name,
        version,
        architecture: fields.get('architecture'),
        supplier: fields.get('maintainer'),
        source,
      },
    ];
  });
}

/** Parses apk's database of installed packages: paragraphs of `X:value`. */
export function parseApkDatabase(text: string, source: string): readonly InstalledPackage[] {
  return text.split(/\n\n+/).flatMap((paragraph) => {
    const field = (letter: string): string | undefined => new RegExp(`^${letter}:(.*)$`, 'm').exec(paragraph)?.[1];
    const [name, version] = [field('P'), field('V')];
    if (!name || !version) return [];
    return [
      { kind: 'apk', name, version, architecture: field('A'), license: field('L'), supplier: field('m'), source },
    ];
  });
}

/** Parses the package.json of an installed package. Returns nothing if name or version is missing. */
export function parsePackageJson(text: string, source: string): readonly InstalledPackage[] {
  const { name, version, license } = parseRecord(text);
  if (typeof name !== 'string' || typeof version !== 'string' || name === '' || version === '') return [];
  return [{ kind: 'npm', name, version, license: typeof license === 'string' ? license : undefined, source }];
}

/** Parses a package-lock.json of version 2 or 3. Skips development dependencies. */
export function parsePackageLock(text: string, source: string): readonly InstalledPackage[] {
  return Object.entries(recordOf(parseRecord(text).packages)).flatMap(([path, entry]) => {
    const { name = path.split('node_modules/').at(-1), version, license, dev, link } = recordOf(entry);
    if (path === '' || dev === true || link === true || typeof name !== 'string' || typeof version !== 'string')
      return [];
    return [{ kind: 'npm', name, version, license: typeof license === 'string' ? license : undefined, source }];
  });
}

/** Parses /etc/os-release. */
export function parseOsRelease(text: string): Distribution | undefined {
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}=["']?([^"'\\n]*)["']?$`, 'm').exec(text)?.[1];
  const id = field('ID');
  return id ? { id, version: field('VERSION_ID') } : undefined;
}

/** Distribution assumed when the image has no os-release. */
const DISTRIBUTIONS = { deb: 'debian', apk: 'alpine', rpm: 'redhat' } as const;

/** Returns the package URL (purl), the identifier that all tools use ("Package URL specification"). */
export function purlOf(
  { kind, name, version, architecture, epoch, upstream }: InstalledPackage,
  distribution?: Distribution,
): string {
  if (kind === 'npm')
    return `pkg:npm/${name.split('/').map(encodeURIComponent).join('/')}@${encodeURIComponent(version)}`;
  const { id = DISTRIBUTIONS[kind], version: release } = distribution ?? {};
  const qualifiers = [
    ...(architecture === undefined ? [] : [`arch=${encodeURIComponent(architecture)}`]),
    ...(epoch === undefined ? [] : [`epoch=${epoch}`]),
    ...(upstream === undefined ? [] : [`upstream=${encodeURIComponent(upstream)}`]),
    ...(distribution === undefined
      ? []
      : [`distro=${encodeURIComponent(release === undefined ? id : `${id}-${release}`)}`]),
  ];
  return `pkg:${kind}/${id}/${encodeURIComponent(name)}@${encodeURIComponent(version)}${qualifiers.length === 0 ? '' : `?${qualifiers.join('&')}`}`;
}

function parseRecord(text: string): Readonly<Record<string, unknown>> {
  try {
    return recordOf(JSON.parse(text));
  } catch {
    return {};
  }
}
