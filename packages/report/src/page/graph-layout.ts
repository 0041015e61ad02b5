import { Graph, layout } from '@dagrejs/dagre';
import type { BuildFacts, StepFacts } from '../report-data.ts';

/** A step in the picture: its corner and size in pixels. */
export interface Box {
  readonly step: StepFacts;
  readonly index: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Edge {
  readonly points: readonly { readonly x: number; readonly y: number }[];
  /** Whether files go along it, and not the whole tree of the base. */
  readonly isSource: boolean;
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  readonly edges: readonly Edge[];
}

const [WIDTH, HEIGHT] = [220, 44];

/** Places the steps that have inputs or are inputs, top to bottom. */
export function drawGraph({ steps }: Pick<BuildFacts, 'steps'>): Picture {
  const graph = new Graph();
  graph.setGraph({ rankdir: 'TB', nodesep: 16, ranksep: 28, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  const used = new Set(steps.flatMap(({ inputs }) => inputs));
  const drawn = steps
    .map((step, index) => ({ step, index }))
    .filter(({ step: { id, inputs } }) => inputs.length > 0 || used.has(id));
  const known = new Set(drawn.map(({ step }) => step.id));
  for (const { step } of drawn) graph.setNode(step.id, { width: WIDTH, height: HEIGHT });
  for (const { step } of drawn)
    for (const [at, input] of step.inputs.entries())
      if (known.has(input)) graph.setEdge(input, step.id, { isSource: at > 0 });
  layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  return {
    width,
    height,
    boxes: drawn.map(({ step, index }) => {
      const { x, y } = graph.node(step.id);
      return { step, index, x: x - WIDTH / 2, y: y - HEIGHT / 2, width: WIDTH, height: HEIGHT };
    }),
    edges: graph.edges().map((edge: { readonly v: string; readonly w: string }) => {
      const { points, isSource } = graph.edge(edge);
      return { points, isSource: isSource === true };
    }),
  };
}
