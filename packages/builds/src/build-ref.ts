import { randomBytes } from 'node:crypto';

/** The IDs of buildx have 25 digits and letters. Here the first nine are the time, so that IDs sort by it. */
const LENGTH = 25;
const TIME_DIGITS = 9;

/**
 * Returns a new name for a build that starts at `now` (milliseconds since the epoch), in the form of buildx:
 * `BUILDER/NODE/ID`.
 */
export function createBuildRef(now: number): string {
  const drawn = BigInt(`0x${randomBytes(12).toString('hex')}`)
    .toString(36)
    .padStart(LENGTH, '0');
  return buildRef(now.toString(36).padStart(TIME_DIGITS, '0') + drawn.slice(TIME_DIGITS - LENGTH));
}

/** Returns the name of the build with an ID. There is one builder, with one node. */
export function buildRef(id: string): string {
  return `default/default/${id}`;
}

/** Returns the ID in the name of a build. */
export function buildId(ref: string): string {
  return ref.slice(ref.lastIndexOf('/') + 1);
}

export function isBuildId(text: string): boolean {
  return /^[0-9a-z]{25}$/.test(text);
}

/** Returns when the build of an ID started, in milliseconds since the epoch. */
export function startOfBuild(id: string): number {
  return parseInt(id.slice(0, TIME_DIGITS), 36);
}
