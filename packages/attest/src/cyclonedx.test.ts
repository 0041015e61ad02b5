import { expect, test } from 'vitest';
import { cycloneDxDocument } from './cyclonedx.ts';

/** As syft writes one: with the image among the packages, and packages without a package URL. */
const scanned = {
  creationInfo: { created: '2026-01-02T03:04:05Z' },
  packages: [
    { SPDXID: 'SPDXRef-DocumentRoot-Image', name: 'app', primaryPackagePurpose: 'CONTAINER' },
    {
      SPDXID: 'SPDXRef-Package-go-module-x',
      name: 'example.com/x',
      versionInfo: 'v1.0.0',
      supplier: 'Organization: Example (https://example.com)',
      licenseDeclared: 'NONE',
      externalRefs: [
        { referenceType: 'cpe23Type', referenceLocator: 'cpe:2.3:a:x:x:1.0.0:*:*:*:*:*:*:*' },
        { referenceType: 'purl', referenceLocator: 'pkg:golang/example.com/x@v1.0.0' },
      ],
    },
    { SPDXID: 'SPDXRef-Package-binary', name: 'tool', licenseDeclared: 'MIT' },
  ],
};

test('the document of a scanner becomes components of the same packages', () => {
  expect(cycloneDxDocument([scanned, scanned], { name: 'app' })).toMatchObject({
    metadata: { timestamp: '2026-01-02T03:04:05Z', properties: [{ value: '1' }, { value: 'app' }] },
    components: [
      {
        'bom-ref': 'pkg:golang/example.com/x@v1.0.0',
        name: 'example.com/x',
        version: 'v1.0.0',
        supplier: { name: 'Example' },
        purl: 'pkg:golang/example.com/x@v1.0.0',
      },
      { 'bom-ref': 'SPDXRef-Package-binary', name: 'tool', licenses: [{ expression: 'MIT' }] },
    ],
  });
});

test('something else has another serial number', () => {
  const serialOf = (name: string): unknown => Reflect.get(cycloneDxDocument([scanned], { name }), 'serialNumber');
  expect(serialOf('a')).toBe(serialOf('a'));
  expect(serialOf('a')).not.toBe(serialOf('b'));
});

test('a package URL that is not valid names its distribution as it is', () => {
  const externalRefs = [{ referenceType: 'purl', referenceLocator: 'pkg:deb/a@1?distro=100%-1' }];
  const document = cycloneDxDocument([{ packages: [{ name: 'a', externalRefs }] }], { name: 'app' });
  expect(document).toMatchObject({ components: [{ type: 'operating-system', name: '100%', version: '1' }, {}] });
});

test('a list of packages that is no SPDX still becomes a document', () => {
  const packages = [{ name: 'a', SPDXID: { toString: 1 } }, null, { name: 1 }];
  const document = cycloneDxDocument([{ creationInfo: { created: { toString: 1 } }, packages }], { name: 'app' });
  expect(document).toMatchObject({ components: [{ 'bom-ref': 'a', name: 'a' }] });
  expect(JSON.stringify(document)).not.toContain('timestamp');
});
