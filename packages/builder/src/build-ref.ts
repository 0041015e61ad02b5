import { randomBytes } from 'node:crypto';

/** Returns a new name for a build in the form of buildx: `BUILDER/NODE/ID`, where the ID is 25 digits and letters. */
export function createBuildRef(): string {
  const id = BigInt(`0x${randomBytes(17).toString('hex')}`)
    .toString(36)
    .padStart(ID_LENGTH, '0')
    .slice(-ID_LENGTH);
  return `default/default/${id}`;
}

const ID_LENGTH = 25;

/** Returns the ID in the name of a build. */
export function buildId(ref: string): string {
  return ref.slice(ref.lastIndexOf('/') + 1);
}
