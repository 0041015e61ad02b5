import { hierarchy, treemap } from 'd3-hierarchy';
import type { FileTree } from '../report-data.ts';

/** A directory or file in the picture. Numbers are percent of the whole. */
export interface Tile {
  readonly node: FileTree;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** More tiles than this cannot be seen, and are slow. */
const MOST = 150;

/** Lays out the entries of a directory by their size. Those too many to see are one. */
export function tilesOf([, , , children = []]: FileTree, most = MOST): readonly Tile[] {
  const seen = children.filter(([, bytes]) => bytes > 0);
  const [shown, rest] = [seen.slice(0, most), seen.slice(most)];
  if (rest.length > 0) shown.push([`${rest.length} more`, sum(rest, 1), sum(rest, 2)]);
  const root = hierarchy<{ readonly node?: FileTree; readonly children?: readonly { readonly node: FileTree }[] }>({
    children: shown.map((node) => ({ node })),
  }).sum(({ node }) => node?.[1] ?? 0);
  const placed = treemap<{ readonly node?: FileTree }>().size([100, 100])(root);
  return (placed.children ?? []).flatMap(({ data: { node }, x0, x1, y0, y1 }) =>
    node === undefined ? [] : { node, left: x0, top: y0, width: x1 - x0, height: y1 - y0 },
  );
}

function sum(nodes: readonly FileTree[], at: 1 | 2): number {
  return nodes.reduce((total, node) => total + node[at], 0);
}
