import { expect, test } from 'vitest';
import { attestationSpecs } from './attestations.ts';

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
    'both in the form of --attest',
    { sbom: 'type=sbom', provenance: 'type=provenance,mode=max' },
    { sbom: { parameters: {} }, provenance: max },
  ],
  ['what --attest disables', { provenance: 'type=provenance,disabled=true' }, undefined],
  [
    'options as data',
    { provenance: { mode: 'min', reproducible: true } as const, sbom: { generator: 'example/scanner:1', depth: '3' } },
    {
      provenance: { ...max, mode: 'min', reproducible: true },
      sbom: { generator: 'example/scanner:1', parameters: { depth: '3' } },
    },
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
])('attestations: %s', (_, spec, expected) => expect(attestationSpecs(spec)).toEqual(expected));

test.each([
  ['mode=most', { provenance: 'mode=most' }],
  ['the type of another attestation', { sbom: 'type=provenance' }],
  ['an unknown option', { sbom: 'depth=3' }],
  ['a path as file name', { provenance: 'filename=../x' }],
])('attestations: %s is refused', (_, spec) =>
  expect(() => attestationSpecs(spec)).toThrow(/^Invalid --(provenance|sbom) /),
);
