import { runChecked } from '../support/run-process.ts';
import type { Peer } from './peer.ts';
import type { Sample } from './sample.ts';

/** The environment of a case in one round. */
export interface Round {
  /** In the order in which they take turns, which changes from round to round. */
  readonly peers: readonly Peer[];
  /** A new directory on the file system of the measurements. */
  readonly directory: string;
  /** A new value in each round, for content that no peer has cached. */
  readonly seed: string;
}

/** One row of the table, or a few that belong together. */
export interface BenchCase {
  readonly name: string;
  /** The most rounds that it is worth: one where a build takes many seconds. */
  readonly rounds: number;
  take(round: Round): Promise<Sample[]>;
}

/** The floor of some work: the time of the plain tool for it. */
export const FLOOR = 'floor';

/** Measures `build` with each peer; undefined skips a peer that cannot do it. */
export async function inTurn(
  { peers }: Round,
  at: { readonly case: string; readonly work: string },
  build: (peer: Peer) => Promise<unknown> | undefined,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const peer of peers) {
    // No peer pays for the pending writes of the one before.
    await runChecked('sync', []);
    const started = performance.now();
    const building = build(peer);
    if (building === undefined) continue;
    await building;
    samples.push({
      ...at,
      peer: peer.name,
      milliseconds: performance.now() - started,
      peakMemory: peer.peakMemory?.(),
    });
  }
  return samples;
}

/** Measures a shell command as the floor of some work. */
export async function floorOf(
  at: { readonly case: string; readonly work: string },
  command: string,
  cwd: string,
): Promise<Sample> {
  await runChecked('sync', []);
  const started = performance.now();
  await runChecked('sh', ['-c', command], { cwd });
  return { ...at, peer: FLOOR, milliseconds: performance.now() - started };
}
