import { medianOf, type Sample } from './sample.ts';

const COLOURS = ['#2563eb', '#64748b', '#b45309', '#94a3b8'];
const [LEFT, WIDTH, BAR, GAP] = [300, 620, 9, 12];

/** The medians as bars, by work; the scale is logarithmic, from 20 ms on. */
export function drawPicture(samples: readonly Sample[], peers: readonly string[]): string {
  const works = [...new Set(samples.map(({ work }) => work))];
  const group = peers.length * (BAR + 1) + GAP;
  const height = 40 + works.length * group;
  const longest = Math.max(...samples.map(({ milliseconds }) => milliseconds), 1000);
  const lengthOf = (milliseconds: number): number =>
    Math.max(1, (Math.log(milliseconds / 20) / Math.log(longest / 20)) * WIDTH);
  const bars = works.flatMap((work, row) => {
    const top = 34 + row * group;
    return [
      text(LEFT - 8, top + group / 2 - 4, work, 'end'),
      ...peers.flatMap((peer, at) => {
        const median = medianOf(samples, work, peer);
        if (median === undefined) return [];
        const y = top + at * (BAR + 1);
        const [length, colour] = [lengthOf(median), COLOURS[at % COLOURS.length]];
        return [
          `<rect x="${LEFT}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" fill="${colour}"/>`,
          text(LEFT + length + 4, y + BAR - 1, `${(median / 1000).toFixed(2)} s`),
        ];
      }),
    ];
  });
  const legend = peers.map((peer, at) => `<tspan fill="${COLOURS[at % COLOURS.length]}">■ ${escape(peer)}  </tspan>`);
  return picture(LEFT + WIDTH + 70, height, [`<text x="${LEFT}" y="18">${legend.join('')}</text>`, ...bars]);
}

/** Curves of time and, in the other colour, peak memory over size; all axes are logarithmic. */
export function drawGrowth(curves: readonly GrowthCurve[]): string {
  const charts = curves.flatMap(({ subject, points }, row) => {
    const top = 40 + row * 170;
    const [sizes, times] = [points.map(({ size }) => size), points.map(({ milliseconds }) => milliseconds)];
    const x = scale(sizes, LEFT, LEFT + WIDTH);
    const y = scale(times, top + 120, top + 10);
    const memory = points.map(({ peakMemory = 0 }) => Math.max(peakMemory, 1e6));
    const z = scale([...memory, 5e7, 5e8], top + 120, top + 10);
    const line = (heights: readonly number[], colour = ''): string => {
      const places = heights.map((height, at) => `${x(sizes[at] ?? 0).toFixed(1)},${height.toFixed(1)}`);
      return `<polyline points="${places.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`;
    };
    return [
      text(LEFT - 8, top + 60, subject, 'end'),
      line(memory.map(z), COLOURS[2]),
      line(times.map(y), COLOURS[0]),
      ...points.flatMap(({ size, milliseconds, peakMemory }) => [
        `<circle cx="${x(size)}" cy="${y(milliseconds)}" r="3" fill="${COLOURS[0]}"/>`,
        text(
          x(size) + 5,
          y(milliseconds) + 12,
          `${(milliseconds / 1000).toFixed(2)} s, ${((peakMemory ?? 0) / 1e6).toFixed(0)} MB`,
        ),
        text(x(size), top + 146, size.toLocaleString('en'), 'middle'),
      ]),
    ];
  });
  const legend = [
    ['time', COLOURS[0]],
    ['peak memory', COLOURS[2]],
  ].map(([name, colour]) => `<tspan fill="${colour}">■ ${name}  </tspan>`);
  const heading = `<text x="${LEFT}" y="18">${legend.join('')}</text>`;
  return picture(LEFT + WIDTH + 160, 60 + curves.length * 170, [heading, ...charts]);
}

/** The growth of some work with its size. */
export interface GrowthCurve {
  readonly subject: string;
  readonly points: readonly { readonly size: number; readonly milliseconds: number; readonly peakMemory?: number }[];
}

function scale(values: readonly number[], from: number, to: number): (value: number) => number {
  const [low, high] = [Math.log(Math.min(...values)), Math.log(Math.max(...values))];
  return (value) => (high === low ? (from + to) / 2 : from + ((Math.log(value) - low) / (high - low)) * (to - from));
}

function picture(width: number, height: number, parts: readonly string[]): string {
  const frame = `xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="10"`;
  return `<svg ${frame}>\n<rect width="100%" height="100%" fill="white"/>\n${parts.join('\n')}\n</svg>\n`;
}

function text(x: number, y: number, content: string, anchor = 'start'): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escape(content)}</text>`;
}

function escape(content: string): string {
  return content.replace(/&/g, '&amp;').replace(/</g, '&lt;');
}
