import { digestOf } from '@tbuild/oci';
import type { Inventory } from './find-packages.ts';
import { purlOf, type InstalledPackage } from './packages.ts';

export interface SpdxOptions {
  /** The subject of the document. */
  readonly name: string;
  /** RFC 3339. */
  readonly created: string;
}

const NONE = 'NOASSERTION';
const DOCUMENT = 'SPDXRef-DOCUMENT';
const ROOT = 'SPDXRef-Image';

/** Returns the packages of an image as an SPDX 2.3 document. The same input gives the same document. */
export function spdxDocument({ packages, distribution }: Inventory, { name, created }: SpdxOptions): object {
  const described = packages.map((one) => describe(one, purlOf(one, distribution)));
  const identity = digestOf(Buffer.from(JSON.stringify([name, created, described]))).replace('sha256:', '');
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: DOCUMENT,
    name,
    documentNamespace: `urn:sha256:${identity}`,
    creationInfo: { created: created.replace(/\.\d+Z$/, 'Z'), creators: ['Tool: tbuild'] },
    packages: [
      {
        SPDXID: ROOT,
        name,
        downloadLocation: NONE,
        filesAnalyzed: false,
        licenseConcluded: NONE,
        licenseDeclared: NONE,
        copyrightText: NONE,
        primaryPackagePurpose: 'CONTAINER',
      },
      ...described,
    ],
    relationships: [
      { spdxElementId: DOCUMENT, relationshipType: 'DESCRIBES', relatedSpdxElement: ROOT },
      ...described.map(({ SPDXID }) => ({
        spdxElementId: ROOT,
        relationshipType: 'CONTAINS',
        relatedSpdxElement: SPDXID,
      })),
    ],
  };
}

function describe(one: InstalledPackage, purl: string) {
  const { kind, name, version, license, source } = one;
  return {
    SPDXID: `SPDXRef-Package-${kind}-${name.replace(/[^A-Za-z0-9.-]/g, '-')}-${digestOf(Buffer.from(purl)).slice(7, 23)}`,
    name,
    versionInfo: version,
    ...supplierOf(one),
    downloadLocation: NONE,
    filesAnalyzed: false,
    sourceInfo: `found in /${source}`,
    licenseConcluded: NONE,
    licenseDeclared: license !== undefined && EXPRESSION.test(license) ? license : NONE,
    copyrightText: NONE,
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }],
  };
}

function supplierOf({ supplier, organization }: InstalledPackage): { readonly supplier?: string } {
  if (supplier !== undefined) return { supplier: `Person: ${supplier.replace(/ <(.*)>$/, ' ($1)')}` };
  return organization === undefined ? {} : { supplier: `Organization: ${organization}` };
}

/** Matches an SPDX license expression. Any other text would make the document invalid. */
const EXPRESSION = /^\(*[A-Za-z0-9.+-]+\)*(?: (?:AND|OR|WITH) \(*[A-Za-z0-9.+-]+\)*)*$/;
