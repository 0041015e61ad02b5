import { TbuildError } from '@tbuild/errors';
import { goBool } from '@tbuild/oci';
import type { FlagValues } from '../flags/args.ts';
import type { bakeFlags } from '../flags/bake-flags.ts';

export type BakeFlags = FlagValues<typeof bakeFlags>;

/** Returns the overrides of `--set`, and of the options that are short for one for all targets. */
export function overridesOf(flags: BakeFlags): readonly string[] {
  const switches = (['no-cache', 'pull', 'push', 'load'] as const).flatMap((name) => {
    const value = flags[name];
    return value === undefined ? [] : [`*.${name}=${value}`];
  });
  return [
    ...(flags.set ?? []),
    ...switches,
    ...attestation('sbom', flags.sbom),
    ...attestation('provenance', flags.provenance),
    ...(flags.call === undefined ? [] : [`*.call=${flags.call}`]),
    ...(flags.check === true ? ['*.call=check'] : []),
  ];
}

function attestation(type: string, text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  const isOn = goBool(text);
  if (isOn === true) return [`*.attest=type=${type}`];
  return [`*.attest=type=${type},${isOn === false ? 'disabled=true' : text}`];
}

/** What `--list` shows, and how. */
export interface ListSpec {
  readonly type: 'targets' | 'variables';
  readonly format: 'table' | 'json';
}

/** Reads `--list`. @throws TbuildError USAGE */
export function parseList(text: string): ListSpec {
  let spec: ListSpec = { type: 'targets', format: 'table' };
  for (const field of text.split(',')) {
    const value = field.replace(/^type=/, '');
    if (value === 'targets' || value === 'variables') spec = { ...spec, type: value };
    else if (field === 'format=table' || field === 'format=json')
      spec = { ...spec, format: field.endsWith('json') ? 'json' : 'table' };
    else {
      throw new TbuildError('USAGE', `Invalid --list ${JSON.stringify(text)}`, {
        hint: 'Write targets, variables, or type=targets|variables,format=table|json',
      });
    }
  }
  return spec;
}
