import { medianOf, type Sample } from './sample.ts';

/** Prints medians in seconds, and how many times longer than the first each other peer took. */
export function printTable(samples: readonly Sample[], peers: readonly string[]): void {
  const works = [...new Set(samples.map(({ work }) => work))];
  const [first = '', ...others] = peers;
  const rows = works.map((work) => {
    const medians = peers.map((peer) => medianOf(samples, work, peer));
    const ratios = medians
      .slice(1)
      .map((median) => (median && medians[0] ? `${(median / medians[0]).toFixed(1)}x` : '–'));
    return [work, ...medians.map(seconds), ...ratios, memoryOf(samples, work, first)];
  });
  const header = ['median', ...peers, ...others.map((peer) => `${peer} / ${first}`), `${first} peak`];
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of [header, ...rows]) {
    console.log(
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  '),
    );
  }
}

function seconds(milliseconds: number | undefined): string {
  return milliseconds === undefined ? '–' : `${(milliseconds / 1000).toFixed(milliseconds < 995 ? 3 : 2)} s`;
}

function memoryOf(samples: readonly Sample[], work: string, peer: string): string {
  const peaks = samples.flatMap((sample) =>
    sample.work === work && sample.peer === peer ? [sample.peakMemory ?? 0] : [],
  );
  const peak = Math.max(0, ...peaks);
  return peak === 0 ? '–' : `${(peak / 1e6).toFixed(0)} MB`;
}
