import type { Attestation, ExportedImage } from '@tbuild/exporter';
import type { StepId } from '@tbuild/graph';
import { formatPlatform } from '@tbuild/oci';
import type { Progress } from '@tbuild/progress';
import { openCommittedTree, type LayeredTree, type OverlayFlavour } from '@tbuild/snapshot';
import type { AttestationSpecs, SbomSpec } from './attestation-specs.ts';
import type { BuildFacts } from './build-facts.ts';
import { findPackages } from './find-packages.ts';
import { SCAN_DESTINATION, type PlannedScan } from './plan-scans.ts';
import { provenance, provenanceType } from './provenance.ts';
import { readStatements } from './read-statements.ts';
import { spdxDocument } from './spdx.ts';

export interface AttestOptions {
  readonly specs: AttestationSpecs;
  /** In the order of the images. */
  readonly facts: readonly BuildFacts[];
  /** Full references of the images. The SBOM is named after the first. */
  readonly tags: readonly string[];
  readonly flavour: OverlayFlavour;
  /** How to make the SBOM of each image, in the order of the images. Empty without `--sbom`. */
  readonly scans: readonly PlannedScan[];
  /** Returns the directories of a finished step's tree, bottom first. */
  directoriesOf(step: StepId): Promise<readonly string[]>;
  /** The time of the SBOM, in milliseconds since 1970. */
  readonly now: number;
  /** `SOURCE_DATE_EPOCH` in milliseconds. The creation time of the SBOM is never later. */
  readonly epoch?: number;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Returns the images with the attestations that `specs` asks for. */
export async function attest(
  images: readonly ExportedImage[],
  options: AttestOptions,
): Promise<readonly ExportedImage[]> {
  const { sbom, provenance: wanted } = options.specs;
  const attested: ExportedImage[] = [];
  for (const [at, exported] of images.entries()) {
    const scan = options.scans[at];
    const attestations: Attestation[] = [];
    if (sbom !== undefined && scan !== undefined)
      attestations.push(...(await sbomsOf(exported, { ...sbom, ...scan }, options)));
    const facts = options.facts[at];
    if (wanted !== undefined && facts !== undefined) {
      attestations.push({
        predicateType: provenanceType(wanted),
        predicate: provenance(wanted, facts),
        filename: wanted.filename,
        inlineOnly: wanted.inlineOnly,
      });
    }
    attested.push({ ...exported, attestations });
  }
  return attested;
}

async function sbomsOf(
  exported: ExportedImage,
  { generator = '', scanner, extras }: SbomSpec & PlannedScan,
  options: AttestOptions,
): Promise<readonly Attestation[]> {
  const { flavour, signal, directoriesOf } = options;
  const open = (directories: readonly string[]): LayeredTree => openCommittedTree(directories, flavour);
  if (scanner !== undefined) return readStatements(open(await directoriesOf(scanner)), SCAN_DESTINATION, generator);
  const name = options.tags[0] ?? formatPlatform(exported.image.platform);
  const found = [await sbomOf(open(await exported.openRootfs(signal)), { name, filename: 'sbom' }, options)];
  for (const extra of extras) {
    const names = { name: extra.name, filename: `sbom-${extra.name}` };
    found.push(await sbomOf(open(await directoriesOf(extra.step)), names, options));
  }
  return found;
}

async function sbomOf(
  tree: LayeredTree,
  { name, filename }: { readonly name: string; readonly filename: string },
  { now, epoch, progress, signal }: AttestOptions,
): Promise<Attestation> {
  const onDamaged = (path: string): void =>
    progress.emit({
      type: 'warning',
      message: `Package database ${JSON.stringify(`/${path}`)} cannot be read: its packages are missing from the SBOM`,
      detail: 'It is damaged, too large or of an unknown format',
    });
  const inventory = await findPackages(tree, { onDamaged, signal });
  const created = new Date(Math.min(now, epoch ?? Infinity)).toISOString();
  return {
    predicateType: 'https://spdx.dev/Document',
    predicate: spdxDocument(inventory, { name, created }),
    filename: `${filename}.spdx.json`,
  };
}
