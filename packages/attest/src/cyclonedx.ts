import { unescape } from 'node:querystring';
import { digestOf, recordOf } from '@tbuild/oci';

/** What a CycloneDX document is about. */
export interface CycloneDxSubject {
  /** The repository of the image, or what the image is called without one. */
  readonly name: string;
  readonly tag?: string;
  readonly digest?: string;
}

/**
 * Returns the packages that SPDX documents list, those of scanners too, as one CycloneDX 1.5 document with the properties
 * that GitLab reads. The same input gives the same document.
 */
export function cycloneDxDocument(sboms: readonly object[], subject: CycloneDxSubject): object {
  const documents = sboms.map(recordOf);
  const found = new Map(documents.flatMap(({ packages }) => listOf(packages)).flatMap(componentOf));
  const components = [...found.values()];
  const system = distributionOf(components);
  const described = {
    metadata: {
      timestamp: documents.flatMap(createdOf).toSorted().at(-1),
      tools: { components: [{ type: 'application', name: 'tbuild' }] },
      component: {
        'bom-ref': 'image',
        type: 'container',
        name: subject.name,
        version: subject.digest ?? subject.tag,
      },
      properties: propertiesOf(subject, system),
    },
    components: [...(system === undefined ? [] : [{ type: 'operating-system', ...system }]), ...components],
  };
  return { bomFormat: 'CycloneDX', specVersion: '1.5', serialNumber: uuidOf(described), version: 1, ...described };
}

type Fields = Readonly<Record<string, unknown>>;

/** A package of an SPDX document in CycloneDX's words. */
interface Component {
  readonly 'bom-ref': string;
  readonly purl?: string;
}

/** Returns nothing for the image itself. */
function componentOf(one: Fields): readonly (readonly [string, Component])[] {
  const { name, versionInfo, licenseDeclared, supplier, primaryPackagePurpose } = one;
  if (typeof name !== 'string' || primaryPackagePurpose === 'CONTAINER') return [];
  const purl = listOf(one.externalRefs).find(({ referenceType }) => referenceType === 'purl')?.referenceLocator;
  const ref = [purl, one.SPDXID].find((id) => typeof id === 'string') ?? name;
  const component = {
    'bom-ref': ref,
    type: 'library',
    ...supplierOf(supplier),
    name,
    ...(typeof versionInfo === 'string' ? { version: versionInfo } : {}),
    ...(isStated(licenseDeclared) ? { licenses: [{ expression: licenseDeclared }] } : {}),
    ...(typeof purl === 'string' ? { purl } : {}),
  };
  return [[ref, component]];
}

/** SPDX writes `Person: NAME (ADDRESS)` and `Organization: NAME`. */
function supplierOf(text: unknown): object {
  const name =
    typeof text === 'string' ? /^(?:Person|Organization): (.+?)(?: \([^()]*\))?$/.exec(text)?.[1] : undefined;
  return name === undefined ? {} : { supplier: { name } };
}

function isStated(license: unknown): boolean {
  return typeof license === 'string' && !/^(?:NOASSERTION|NONE|)$/.test(license);
}

interface Distribution {
  readonly name: string;
  readonly version?: string;
}

/** Returns the distribution that the package URLs name, such as `distro=debian-13`. */
function distributionOf(components: readonly Component[]): Distribution | undefined {
  const named = components.flatMap(({ purl = '' }) => /[?&]distro=([^&#]+)/.exec(purl)?.[1] ?? []);
  const [name, version] = named[0] === undefined ? [] : unescape(named[0]).split(/-(?=[\d.]+$)/);
  return name === undefined ? undefined : { name, ...(version === undefined ? {} : { version }) };
}

/** Returns properties of GitLab's "CycloneDX property taxonomy". */
function propertiesOf({ name, tag }: CycloneDxSubject, system?: Distribution): readonly object[] {
  const values = {
    'meta:schema_version': '1',
    'container_scanning:image:name': name,
    'container_scanning:image:tag': tag,
    'container_scanning:operating_system:name': system?.name,
    'container_scanning:operating_system:version': system?.version,
  };
  return Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [{ name: `gitlab:${key}`, value }],
  );
}

function createdOf({ creationInfo }: Fields): readonly string[] {
  const { created } = recordOf(creationInfo);
  return typeof created === 'string' ? [created] : [];
}

/** A UUID of version 8 (RFC 9562, "custom") from the digest of the content. */
function uuidOf(content: object): string {
  const hex = digestOf(Buffer.from(JSON.stringify(content))).slice('sha256:'.length);
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(recordOf) : [];
}
