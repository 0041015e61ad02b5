import { expect, test } from 'vitest';
import {
  buildkitCases,
  builtParts,
  caseFile,
  comparedStatement,
  recordedParts,
  type ArchivedPart,
  type ArchivedParts,
} from '../../support/buildkit-case.ts';
import { needs } from '../../support/requirements.ts';

// Each case of fixtures/buildkit-bytes is built and compared with what BuildKit wrote. To see how a part differs, remove
// it from this table and run its case.

/**
 * The parts that differ, by case. A part that agrees must not be listed. JSON is compared apart from digests and sizes,
 * which follow from other parts; a layer by its digest.
 */
const DIFFERENT: Readonly<Record<string, readonly string[]>> = {
  // It carries times of its recording; only layers 1 and 3 can agree.
  'without-rewrite': ['layer 2', 'layer 4'],
};

/** The recorded processor. */
const amd64 = { met: process.arch === 'x64', lacks: 'an amd64 processor' };

for (const name of buildkitCases) {
  const python = caseFile(name, 'setup.sh')?.includes('python3') ? ['python3'] : [];
  test(`the case ${name} gives the bytes of BuildKit`, needs('root', amd64, ...python), async () => {
    const recorded = recordedParts(name);
    const built = await builtParts(name);
    const known = DIFFERENT[name] ?? [];
    const found = differences(built, recorded);
    for (const part of found.filter((one) => !known.includes(one)))
      expect.soft(shown(built.get(part)), part).toBe(shown(recorded.get(part)));
    expect(found).toEqual(known);
    // No two statements are equal, and their digests are in the documents above them.
    if (known.length === 0 && ![...recorded.keys()].some((part) => part.includes('statement')))
      expect(exact(built)).toEqual(exact(recorded));
  });
}

function differences(built: ArchivedParts, recorded: ArchivedParts): readonly string[] {
  const names = [...new Set([...recorded.keys(), ...built.keys()])];
  return names.filter((name) => compared(name, built.get(name)) !== compared(name, recorded.get(name)));
}

function compared(name: string, part: ArchivedPart | undefined): string | undefined {
  if (name.includes('layer')) return part?.digest;
  const text = part !== undefined && name.includes('statement') ? comparedStatement(part.text) : part?.text;
  return text?.replace(/sha256:[0-9a-f]{64}/g, 'sha256:…').replace(/"size":( ?)\d+/g, '"size":$1…');
}

function exact(parts: ArchivedParts): ReadonlyMap<string, unknown> {
  return new Map([...parts].map(([name, part]) => [name, name.includes('layer') ? part.digest : part]));
}

function shown(part: ArchivedPart | undefined): string | undefined {
  return part && `${part.digest}\n${part.text}`;
}
