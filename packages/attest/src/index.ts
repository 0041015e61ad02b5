export { attest } from './attest.ts';
export type { AttestationSpecs, ProvenanceSpec, SbomSpec } from './attestation-specs.ts';
export { attestedTrees } from './attested-trees.ts';
export type { AttestedTrees } from './attested-trees.ts';
export { cycloneDxDocument } from './cyclonedx.ts';
export { planScans } from './plan-scans.ts';
export type { PlannedScan } from './plan-scans.ts';
export { provenance } from './provenance.ts';
export type { BuildFacts } from './build-facts.ts';
