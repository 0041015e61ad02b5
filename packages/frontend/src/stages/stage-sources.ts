import type { StageInstruction } from '@tbuild/dockerfile';
import { TbuildError, type SourceRange } from '@tbuild/errors';
import { imageOrigin, type Origin } from '../origin.ts';
import { stageLabel, type StageGraph, type StageNode } from './stage-graph.ts';

/** A name that an instruction reads from, as written: the `--from` of COPY or of a mount. */
export interface SourceName {
  readonly name: string;
  readonly location: SourceRange;
  /** True if the name may be the index of a stage, as in COPY. */
  readonly index: boolean;
}

/** Returns the names in an instruction, in order. */
export function sourceNames(instruction: StageInstruction): SourceName[] {
  if (instruction.kind === 'copy') {
    const { from } = instruction;
    return from === undefined ? [] : [{ name: from.text, location: from.location, index: true }];
  }
  if (instruction.kind !== 'run') return [];
  return instruction.mounts.flatMap(({ type, options, location }) => {
    const name = options.from;
    const reads = type === undefined || type === 'bind' || type === 'cache';
    return name === undefined || name === '' || !reads ? [] : [{ name, location, index: false }];
  });
}

/**
 * Returns the origin for a name in stage `user`: a stage, an image or a named context.
 * @throws TbuildError DOCKERFILE_SEMANTICS for an index without a stage.
 */
export function resolveSource(graph: StageGraph, { name, location, index }: SourceName): Origin {
  if (index && /^[+-]?\d+$/.test(name)) {
    const number = Number(name);
    if (graph.nodes[number] !== undefined) return { kind: 'stage', index: number };
    throw new TbuildError('DOCKERFILE_SEMANTICS', `Invalid stage index ${name}`, {
      location,
      hint: `Use an index below ${graph.nodes.length}, or the name of a stage`,
    });
  }
  const stage = graph.names.get(name.toLowerCase());
  return stage === undefined ? imageOrigin(name, graph) : { kind: 'stage', index: stage };
}

/** @throws TbuildError DOCKERFILE_SEMANTICS if stage `user` reads from a stage that is not before it. */
export function checkOrder(
  graph: StageGraph,
  user: StageNode,
  { origin, location }: { readonly origin: Origin; readonly location: SourceRange },
): void {
  if (origin.kind !== 'stage' || origin.index < user.stage.index) return;
  if (origin.index === user.stage.index) throw cycle(user, location);
  const name = stageLabel(graph.nodes[origin.index] ?? user);
  throw new TbuildError(
    'DOCKERFILE_SEMANTICS',
    `Cannot copy from stage ${JSON.stringify(name)}, it needs to be defined before current stage ${JSON.stringify(stageLabel(user))}`,
    { location, hint: 'Move the stage up' },
  );
}

/**
 * Refuses cycles anywhere in the file, as Docker does, even in stages that are not built.
 * @throws TbuildError DOCKERFILE_SEMANTICS for stages that depend on each other.
 */
export function checkCycles(graph: StageGraph): void {
  const edges = graph.nodes.map(({ stage }) =>
    stage.instructions.flatMap(sourceNames).flatMap((source) => {
      const origin = resolveSource(graph, source);
      return origin.kind === 'stage' ? [{ to: origin.index, location: source.location }] : [];
    }),
  );
  const done = new Set<number>();
  const open = new Set<number>();
  // Recursion would overflow the call stack on a chain of thousands of stages.
  const pending = [...graph.nodes.keys()].reverse();
  for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
    if (done.has(index)) continue;
    if (open.has(index)) {
      open.delete(index);
      done.add(index);
      continue;
    }
    open.add(index);
    pending.push(index);
    for (const { to, location } of (edges[index] ?? []).toReversed()) {
      const node = graph.nodes[to];
      if (open.has(to) && node !== undefined) throw cycle(node, location);
      if (!done.has(to)) pending.push(to);
    }
  }
}

function cycle(node: StageNode, location: SourceRange): TbuildError {
  const message = `Circular dependency detected on stage: ${stageLabel(node)}`;
  return new TbuildError('DOCKERFILE_SEMANTICS', message, { location });
}
