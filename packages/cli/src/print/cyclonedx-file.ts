import type { BuildRequest, BuildResult } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import { formatRepository, parseReference } from '@tbuild/oci';

/** @throws TbuildError USAGE when a build that makes no SBOM is asked for the file of one. */
export function requireSbom(file: string | undefined, requests: readonly BuildRequest[]): void {
  if (file === undefined || requests.some(({ attestations }) => attestations?.sbom !== undefined)) return;
  throw new TbuildError('USAGE', '--cyclonedx-file writes what an SBOM lists, and this build makes none', {
    hint: 'Add --sbom true',
  });
}

/** Returns the SBOMs of builds as one CycloneDX document. */
export async function cycloneDxOf(results: readonly BuildResult[]): Promise<object> {
  // Loaded only for builds with attestations.
  const { cycloneDxDocument } = await import('@tbuild/attest');
  const [first] = results;
  const [name] = first?.names ?? [];
  const reference = name === undefined ? undefined : parseReference(name);
  return cycloneDxDocument(
    results.flatMap(({ sboms }) => sboms),
    {
      name: reference === undefined ? 'image' : formatRepository(reference),
      tag: reference?.tag,
      digest: first?.manifest?.digest ?? first?.id,
    },
  );
}
