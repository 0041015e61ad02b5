import { describe, expect, test } from 'vitest';
import type { InstalledPackage } from './packages.ts';
import { spdxDocument } from './spdx.ts';

const source = 'var/lib/db';
const packages: readonly InstalledPackage[] = [
  { kind: 'deb', name: 'libstdc++6', version: '14.2', architecture: 'amd64', supplier: 'A B <a@example.org>', source },
  { kind: 'deb', name: 'libstdc++6', version: '14.2', architecture: 'i386', source },
  { kind: 'apk', name: 'musl', version: '1', license: 'MIT AND (GPL-2.0-only OR BSD-3-Clause)', source },
  { kind: 'rpm', name: 'a_b', version: '1-2', organization: 'Works', license: 'GPLv2+ and Public Domain', source },
  { kind: 'npm', name: '@scope/x', version: '1.0.0', license: 'SEE LICENSE IN x', source },
];
const document = JSON.parse(
  JSON.stringify(spdxDocument({ packages }, { name: 'app:1', created: '2024-01-02T03:04:05.678Z' })),
);

/** The requirements of "SPDX 2.3", by clause. */
describe('An SPDX document', () => {
  test('has the document creation fields (clause 6)', () => {
    expect(document).toMatchObject({
      spdxVersion: 'SPDX-2.3',
      dataLicense: 'CC0-1.0',
      SPDXID: 'SPDXRef-DOCUMENT',
      name: 'app:1',
      creationInfo: { created: '2024-01-02T03:04:05Z', creators: ['Tool: tbuild'] },
    });
    expect(document.documentNamespace).toMatch(/^urn:sha256:[0-9a-f]{64}$/);
  });

  test('gives every package a unique identifier and all mandatory fields (clause 7)', () => {
    const ids = document.packages.map(({ SPDXID }: { SPDXID: string }) => SPDXID);
    expect(new Set(ids).size).toBe(packages.length + 1);
    for (const one of document.packages) {
      expect(one.SPDXID).toMatch(/^SPDXRef-[A-Za-z0-9.-]+$/);
      expect(one.name).not.toBe('');
      expect(one.downloadLocation).toBe('NOASSERTION');
      expect(one.filesAnalyzed).toBe(false);
      expect(one.supplier ?? 'NOASSERTION').toMatch(/^(?:NOASSERTION|(?:Person|Organization): .+)$/);
      for (const license of [one.licenseConcluded, one.licenseDeclared])
        expect(license).toMatch(/^(?:NOASSERTION|[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) \(?[A-Za-z0-9.+-]+\)?)*)$/);
      for (const reference of one.externalRefs ?? [])
        expect(reference).toEqual({
          referenceCategory: 'PACKAGE-MANAGER',
          referenceType: 'purl',
          referenceLocator: expect.stringMatching(/^pkg:(?:deb|apk|rpm|npm)\/\S+@\S+$/),
        });
    }
  });

  test('relates every package to the image, and the image to the document (clause 11)', () => {
    const ids = new Set(['SPDXRef-DOCUMENT', ...document.packages.map(({ SPDXID }: { SPDXID: string }) => SPDXID)]);
    const [describes, ...contains] = document.relationships;
    expect(describes).toMatchObject({ spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES' });
    expect(contains).toHaveLength(packages.length);
    for (const { spdxElementId, relatedSpdxElement } of document.relationships)
      expect([ids.has(spdxElementId), ids.has(relatedSpdxElement)]).toEqual([true, true]);
  });

  test('declares a license only if it is an SPDX expression', () => {
    const licenses = document.packages.slice(1).map((one: { licenseDeclared: string }) => one.licenseDeclared);
    expect(licenses).toEqual([
      'NOASSERTION',
      'NOASSERTION',
      'MIT AND (GPL-2.0-only OR BSD-3-Clause)',
      'NOASSERTION',
      'NOASSERTION',
    ]);
  });
});
