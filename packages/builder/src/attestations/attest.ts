import type { Attestation, ExportedImage } from '@tbuild/exporter';
import { openCommittedTree } from '@tbuild/snapshot';
import { formatPlatform } from '@tbuild/oci';
import type { Worker } from '../worker.ts';
import { findPackages } from './find-packages.ts';
import { provenance, provenanceType, type BuildFacts } from './provenance.ts';
import { spdxDocument } from './spdx.ts';

export interface AttestOptions {
  readonly facts: BuildFacts;
  readonly worker: Worker;
  /** `SOURCE_DATE_EPOCH` in milliseconds: the SBOM is of no later time. */
  readonly epoch?: number;
  readonly signal: AbortSignal;
}

/** Images with the attestations that the request asks for. */
export async function attest(
  images: readonly ExportedImage[],
  options: AttestOptions,
): Promise<readonly ExportedImage[]> {
  const { sbom, provenance: wanted } = options.facts.request.attestations ?? {};
  const attested: ExportedImage[] = [];
  for (const exported of images) {
    const attestations: Attestation[] = [];
    if (sbom !== undefined) attestations.push(await sbomOf(exported, options));
    if (wanted !== undefined) {
      attestations.push({
        predicateType: provenanceType(wanted),
        predicate: provenance(wanted, options.facts),
        filename: wanted.filename,
        inlineOnly: wanted.inlineOnly,
      });
    }
    attested.push({ ...exported, attestations });
  }
  return attested;
}

async function sbomOf(
  { image, openRootfs }: ExportedImage,
  { facts, worker, epoch, signal }: AttestOptions,
): Promise<Attestation> {
  const inventory = await findPackages(openCommittedTree(await openRootfs(signal), worker.flavour), signal);
  const created = new Date(Math.min(facts.finishedAt, epoch ?? Infinity)).toISOString();
  const name = facts.request.tags[0] ?? formatPlatform(image.platform);
  return {
    predicateType: 'https://spdx.dev/Document',
    predicate: spdxDocument(inventory, { name, created }),
    filename: 'sbom.spdx.json',
  };
}
