import { expect, test } from 'vitest';
import { parseAttestations } from './attestations.ts';

const max = { mode: 'max', version: 'v1', filename: 'provenance.json', builderId: '', reproducible: false };

test.each([
  ['nothing', {}, undefined],
  ['true', { provenance: 'true' }, { provenance: max }],
  ['false', { provenance: 'false' }, undefined],
  ['a mode', { provenance: 'mode=min' }, { provenance: { ...max, mode: 'min' } }],
  [
    'several options',
    { provenance: 'mode=min,version=v0.2,builder-id=https://ci.example/1' },
    { provenance: { ...max, mode: 'min', version: 'v0.2', builderId: 'https://ci.example/1' } },
  ],
  ['sbom', { sbom: 'true' }, { sbom: { parameters: {} } }],
  [
    'a scanner, and what it is told',
    { sbom: 'generator=example/scanner:1,depth=3' },
    { sbom: { generator: 'example/scanner:1', parameters: { depth: '3' } } },
  ],
  [
    'both by --attest',
    { attest: ['type=sbom', 'type=provenance,mode=max'] },
    { sbom: { parameters: {} }, provenance: max },
  ],
  [
    'beside images only',
    { provenance: 'inline-only=true,mode=min' },
    {
      provenance: {
        mode: 'min',
        version: 'v1',
        filename: 'provenance.json',
        builderId: '',
        reproducible: false,
        inlineOnly: true,
      },
    },
  ],
  ['the short one wins', { attest: ['type=provenance'], provenance: 'false' }, undefined],
])('%s', (_, flags, expected) => expect(parseAttestations(flags)).toEqual(expected));

test.each([
  ['mode=most', { provenance: 'mode=most' }],
  ['another type', { attest: ['type=signature'] }],
  ['an unknown option', { attest: ['type=sbom,depth=3'] }],
  ['a path as file name', { provenance: 'filename=../x' }],
])('%s is refused', (_, flags) => expect(() => parseAttestations(flags)).toThrow(/is not valid/));
