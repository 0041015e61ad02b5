import type { SourceRange } from '@tbuild/errors';
import type { GraphBuilder, StepId } from '@tbuild/graph';
import { goBool } from '@tbuild/oci';
import { variable, type Environment } from '../environment.ts';
import type { ScanTarget } from '../plan.ts';
import { type StageNode, stageLabel } from './stage-graph.ts';
import type { StageState } from './stage-state.ts';

export interface ScanOptions {
  readonly graph: GraphBuilder;
  readonly globalArgs: Environment;
  readonly nodes: readonly StageNode[];
}

/**
 * Returns the additional trees to scan: the context if the target sets `BUILDKIT_SBOM_SCAN_CONTEXT`, and the planned
 * stages that set `BUILDKIT_SBOM_SCAN_STAGE`.
 */
export function scanTargets(
  target: StageNode,
  states: ReadonlyMap<number, StageState>,
  { graph, globalArgs, nodes }: ScanOptions,
): readonly ScanTarget[] {
  const targets: ScanTarget[] = [];
  const wants = (name: string, node: StageNode, state: StageState): boolean =>
    isEnabled(lastValue(name, state) ?? variable(globalArgs, name), stageLabel(node));
  for (const [index, state] of states) {
    const node = nodes[index];
    if (node === undefined) continue;
    if (node === target) {
      if (wants('BUILDKIT_SBOM_SCAN_CONTEXT', node, state))
        targets.push({ name: 'context', step: addContext(graph, 'context', node.stage.from.location) });
    } else if (state.tip !== undefined && wants('BUILDKIT_SBOM_SCAN_STAGE', node, state))
      targets.push({ name: stageLabel(node), step: state.tip });
  }
  return targets;
}

/** Adds a step with all files of a context. */
export function addContext(graph: GraphBuilder, name: string, location: SourceRange): StepId {
  return graph.add({
    op: {
      kind: 'copy',
      from: { kind: 'context', name },
      sources: [''],
      destination: '/',
      exclude: [],
      parents: false,
      unpack: false,
      keepOwner: false,
    },
    sources: [],
    name: `[context ${name}] load from client`,
    noCache: false,
    location,
  });
}

function lastValue(name: string, { args }: StageState): string | undefined {
  return args.toArray().findLast((arg) => arg.name === name && arg.value !== undefined)?.value;
}

/** Parses a boolean, or the names of stages. */
function isEnabled(value: string | undefined, stage: string): boolean {
  return goBool(value) ?? value?.split(',').includes(stage) ?? false;
}
