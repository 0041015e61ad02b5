import { cycloneDxDocument } from '@tbuild/attest';
import { createMemoryStore, fromBytes } from '@tbuild/content';
import { REFERENCE_DIGEST } from '@tbuild/exporter';
import { readStatements } from '@tbuild/images';
import { type Descriptor, MediaType } from '@tbuild/oci';
import { readRecipe } from '@tbuild/verify';
import type { HostileKind } from './hostile-kind.ts';
import { jsonOf, mutateBytes, mutateJson } from './mutate.ts';

/** What whoever pushed an image says of it, for `verify` and for lists of packages. */
export const STATEMENTS: readonly HostileKind<Buffer>[] = [
  {
    name: 'statements',
    make(random) {
      const bytes = Buffer.from(jsonOf(mutateJson(random.pick(DOCUMENTS), random)));
      return random.int(10) === 0 ? mutateBytes(bytes, random) : bytes;
    },
    async read(bytes, { signal }) {
      const content = createMemoryStore();
      const put = async (mediaType: string, data: Uint8Array): Promise<Descriptor> => {
        return { mediaType, ...(await content.write(fromBytes(data))) };
      };
      const layer = await put(MediaType.statement, bytes);
      const config = await put(MediaType.config, Buffer.from('{}'));
      const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers: [layer] }));
      const entry = {
        ...(await put(MediaType.manifest, manifest)),
        annotations: { [REFERENCE_DIGEST]: config.digest },
      };
      const statements = await readStatements(config, [entry], { content, signal });
      readRecipe(statements);
      const lists = statements
        .map(({ predicate }) => predicate)
        .filter((one) => typeof one === 'object' && one !== null);
      cycloneDxDocument(lists, { name: 'app', tag: '1' });
    },
  },
];

const SUBJECT = [{ name: 'app', digest: { sha256: '0'.repeat(64) } }];
const MATERIALS = [
  { uri: 'pkg:docker/alpine@3.20?platform=linux%2Famd64', digest: { sha256: '0'.repeat(64) } },
  { uri: 'https://github.com/a/b.git#main', digest: { sha1: 'd'.repeat(40) } },
];
const REQUEST = {
  frontend: 'dockerfile.v0',
  args: { 'build-arg:A': '1', 'label:l': 'v', 'context:docs': 'https://h/docs.git#main:x', target: 't' },
  secrets: [{ id: 's', optional: true }],
  ssh: [{ id: 'default' }],
  locals: [{ name: 'context' }],
};
const SOURCE = { uri: 'https://github.com/a/b.git#main:dir', path: 'Dockerfile', digest: { sha1: 'd'.repeat(40) } };
const DOCUMENTS = [
  {
    predicateType: 'https://slsa.dev/provenance/v1',
    subject: SUBJECT,
    predicate: {
      buildDefinition: {
        externalParameters: { configSource: SOURCE, request: REQUEST },
        resolvedDependencies: MATERIALS,
      },
      runDetails: { metadata: { buildkit_completeness: { request: true } } },
    },
  },
  {
    predicateType: 'https://slsa.dev/provenance/v0.2',
    subject: SUBJECT,
    predicate: {
      invocation: { configSource: { ...SOURCE, entryPoint: 'Dockerfile' }, parameters: REQUEST },
      materials: MATERIALS,
      metadata: { completeness: { parameters: true } },
    },
  },
  {
    predicateType: 'https://spdx.dev/Document',
    subject: SUBJECT,
    predicate: {
      creationInfo: { created: '2026-01-02T03:04:05Z' },
      packages: [
        {
          SPDXID: 'SPDXRef-Package-a',
          name: 'a',
          versionInfo: '1',
          supplier: 'Organization: Example (https://example.com)',
          licenseDeclared: 'MIT',
          externalRefs: [{ referenceType: 'purl', referenceLocator: 'pkg:deb/debian/a@1?distro=debian-13' }],
        },
        { SPDXID: 'SPDXRef-Image', name: 'app', primaryPackagePurpose: 'CONTAINER' },
      ],
    },
  },
];
