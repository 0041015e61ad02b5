import { hexOf, isRecord, MediaType, recordOf, type Descriptor, type Digest, type Manifest } from '@tbuild/oci';

/** Reads and writes the documents of an image that is being rewritten. */
export interface DocumentWork {
  read(target: Descriptor): Promise<Uint8Array>;
  /** Writes a changed document and returns its descriptor. */
  put(before: Descriptor, document: object): Descriptor;
}

/** An image whose manifest changed. */
export interface RenamedImage {
  readonly from: Digest;
  readonly to: Descriptor;
}

/** Returns the attestations of a rewritten image: their statements and their subject name its new manifest. */
export async function retargetAttestations(
  manifest: Manifest,
  image: RenamedImage,
  work: DocumentWork,
): Promise<Manifest> {
  const layers: Descriptor[] = [];
  for (const layer of manifest.layers)
    layers.push(layer.mediaType === MediaType.statement ? await retargetStatement(layer, image, work) : layer);
  const { mediaType, digest, size } = image.to;
  return {
    ...manifest,
    config: await retargetConfig(manifest, layers, work),
    layers,
    ...(manifest.subject === undefined ? {} : { subject: { mediaType, digest, size } }),
  };
}

async function retargetStatement(
  layer: Descriptor,
  { from, to }: RenamedImage,
  { read, put }: DocumentWork,
): Promise<Descriptor> {
  const statement = parseObject(await read(layer));
  const subject: readonly unknown[] = Array.isArray(statement.subject) ? statement.subject : [];
  const renamed = subject.map((one) => {
    const digest = isRecord(one) && isRecord(one.digest) ? one.digest : {};
    return isRecord(one) && digest.sha256 === hexOf(from)
      ? { ...one, digest: { ...digest, sha256: hexOf(to.digest) } }
      : one;
  });
  return put(layer, { ...statement, subject: renamed });
}

/** Rewrites the configuration of the older form, which lists the statements. */
async function retargetConfig(
  { config }: Manifest,
  layers: readonly Descriptor[],
  { read, put }: DocumentWork,
): Promise<Descriptor> {
  const document = parseObject(await read(config));
  if (!isRecord(document.rootfs)) return config;
  return put(config, { ...document, rootfs: { ...document.rootfs, diff_ids: layers.map(({ digest }) => digest) } });
}

function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  return recordOf(JSON.parse(Buffer.from(bytes).toString('utf8')));
}
