import { readWhole, type Provider } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import { REFERENCE_DIGEST } from '@tbuild/exporter';
import { isIndex, MediaType, parseManifest, type Descriptor } from '@tbuild/oci';

/** An in-toto statement about an image. */
export interface Statement {
  readonly predicateType: string;
  readonly predicate: unknown;
}

/** The limit of BuildKit for one attestation. */
const LARGEST = 40 << 20;

/**
 * Reads the attestations of an image from the other entries of its index. Skips documents that are no statements.
 * @throws TbuildError NOT_FOUND, DIGEST_MISMATCH, REGISTRY for one that is too large.
 */
export async function readStatements(
  image: Descriptor,
  entries: readonly Descriptor[],
  { content, signal }: { readonly content: Provider; readonly signal: AbortSignal },
): Promise<readonly Statement[]> {
  const statements: Statement[] = [];
  for (const entry of entries.filter(({ annotations }) => annotations?.[REFERENCE_DIGEST] === image.digest)) {
    const document = parseManifest(await readWhole(content, entry, signal), entry.mediaType);
    if (isIndex(document)) continue;
    for (const layer of document.layers.filter(({ mediaType }) => mediaType === MediaType.statement)) {
      if (layer.size > LARGEST)
        throw new TbuildError('REGISTRY', `Attestation ${layer.digest} has ${layer.size} bytes, which is too large`);
      statements.push(...parseStatement(await readWhole(content, layer, signal)));
    }
  }
  return statements;
}

function parseStatement(bytes: Uint8Array): readonly Statement[] {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return [];
  }
  if (typeof value !== 'object' || value === null) return [];
  const { predicateType, predicate }: Partial<Statement> = value;
  return typeof predicateType === 'string' ? [{ predicateType, predicate }] : [];
}
