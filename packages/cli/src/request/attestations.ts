import type { AttestationSpecs, ProvenanceSpec, SbomSpec } from '@tbuild/attest';
import { TbuildError } from '@tbuild/errors';
import { parseReference } from '@tbuild/oci';
import type { FlagValues } from '../flags/args.ts';
import type { buildFlags } from '../flags/build-flags.ts';
import { parseFields } from '../flags/fields.ts';

type AttestationFlags = Pick<FlagValues<typeof buildFlags>, 'attest' | 'provenance' | 'sbom'>;

/**
 * What `--attest`, `--provenance` and `--sbom` ask for together; undefined for nothing, which is the default. The
 * two short ones win, as with buildx.
 * @throws TbuildError USAGE
 */
export function parseAttestations(flags: AttestationFlags): AttestationSpecs | undefined {
  const specs: { provenance?: ProvenanceSpec; sbom?: SbomSpec } = {};
  const texts = [
    ...(flags.attest ?? []),
    ...shorthand('provenance', flags.provenance),
    ...shorthand('sbom', flags.sbom),
  ];
  for (const text of texts) {
    const { type, disabled = 'false', ...options } = parseFields(text, 'attest');
    if (type !== 'provenance' && type !== 'sbom')
      throw invalid(text, `type ${JSON.stringify(type ?? '')} is neither provenance nor sbom`);
    const isOff = isTrue(disabled, text);
    if (type === 'provenance') specs.provenance = isOff ? undefined : provenanceSpec(options, text);
    else specs.sbom = isOff ? undefined : sbomSpec(options, text);
  }
  return specs.provenance === undefined && specs.sbom === undefined ? undefined : specs;
}

/** `true` and `false`, or options. */
function shorthand(type: string, text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  if (/^(?:1|t|true)$/i.test(text)) return [`type=${type}`];
  if (/^(?:0|f|false)$/i.test(text)) return [`type=${type},disabled=true`];
  return [`type=${type},${text}`];
}

function provenanceSpec(options: Readonly<Record<string, string>>, text: string): ProvenanceSpec {
  const {
    mode = 'max',
    version = 'v1',
    filename = 'provenance.json',
    reproducible = 'false',
    'inline-only': inlineOnly = 'false',
    'builder-id': builderId = '',
    ...rest
  } = options;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw invalid(text, `type provenance has no option ${JSON.stringify(unknown)}`);
  if (mode !== 'min' && mode !== 'max') throw invalid(text, `mode ${JSON.stringify(mode)} is neither min nor max`);
  if (version !== 'v1' && version !== 'v0.2')
    throw invalid(text, `version ${JSON.stringify(version)} is neither v1 nor v0.2`);
  if (filename === '' || filename.includes('/')) throw invalid(text, 'filename must be the name of a file');
  return {
    mode,
    version,
    filename,
    builderId,
    reproducible: isTrue(reproducible, text),
    ...(isTrue(inlineOnly, text) ? { inlineOnly: true } : {}),
  };
}

function sbomSpec({ generator, ...parameters }: Readonly<Record<string, string>>, text: string): SbomSpec {
  const [unknown] = Object.keys(parameters);
  if (generator === undefined && unknown !== undefined)
    throw invalid(text, `type sbom has no option ${JSON.stringify(unknown)} without a generator=`);
  if (generator !== undefined) parseReference(generator);
  return { ...(generator === undefined ? {} : { generator }), parameters };
}

function isTrue(value: string, text: string): boolean {
  if (value === 'true' || value === 'false') return value === 'true';
  throw invalid(text, `${JSON.stringify(value)} is neither true nor false`);
}

function invalid(text: string, reason: string): TbuildError {
  return new TbuildError('USAGE', `Attestation ${JSON.stringify(text)} is not valid: ${reason}`, {
    hint: 'Write for example --provenance=mode=max or --sbom=true',
  });
}
