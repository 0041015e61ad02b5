import type { AttestationSpecs, ProvenanceSpec, SbomSpec } from '@tbuild/attest';
import { goBool, parseReference } from '@tbuild/oci';
import type { BuildSpec } from '@tbuild/spec';
import { OptionFields } from './option-fields.ts';

type Attestations = Pick<BuildSpec, 'provenance' | 'sbom'>;

const HINT = 'Write for example --provenance=mode=max or --sbom=true';

/**
 * Reads which attestations a user asks for; undefined for none, the default.
 * @throws TbuildError USAGE
 */
export function attestationSpecs({ provenance, sbom }: Attestations): AttestationSpecs | undefined {
  const specs = {
    provenance: openOptions('provenance', provenance, provenanceSpec),
    sbom: openOptions('sbom', sbom, sbomSpec),
  };
  return specs.provenance === undefined && specs.sbom === undefined ? undefined : specs;
}

/** Reads a switch or options. The form of `--attest` holds the type too, and may disable it. */
function openOptions<T>(
  type: 'provenance' | 'sbom',
  written: boolean | string | object | undefined,
  read: (fields: OptionFields) => T,
): T | undefined {
  const isOn = typeof written === 'string' ? goBool(written) : written;
  if (isOn === false || written === undefined) return undefined;
  const fields = new OptionFields(typeof written === 'boolean' || isOn === true ? {} : written, {
    option: `--${type}`,
    hint: HINT,
  });
  fields.oneOf('type', [type]);
  const isDisabled = fields.flag('disabled') === true;
  const spec = read(fields);
  return isDisabled ? undefined : spec;
}

function provenanceSpec(fields: OptionFields): ProvenanceSpec {
  const filename = fields.text('filename') ?? 'provenance.json';
  if (filename === '' || filename.includes('/')) throw fields.invalid('filename must be the name of a file');
  const spec = {
    mode: fields.oneOf('mode', ['min', 'max']) ?? 'max',
    version: fields.oneOf('version', ['v1', 'v0.2']) ?? 'v1',
    filename,
    builderId: fields.text('builder-id') ?? '',
    reproducible: fields.flag('reproducible') ?? false,
    ...(fields.flag('inline-only') === true ? { inlineOnly: true } : {}),
  };
  return fields.done('provenance', spec);
}

/** Reads the options: all but `generator` are parameters of the scanner. */
function sbomSpec(fields: OptionFields): SbomSpec {
  const generator = fields.text('generator');
  if (generator === undefined) return fields.done('sbom', { parameters: {} });
  parseReference(generator);
  const parameters = fields.left.map((name) => [name, fields.text(name) ?? '']);
  return { generator, parameters: Object.fromEntries(parameters) };
}
