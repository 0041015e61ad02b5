import { expandWord } from '@tbuild/dockerfile';
import type { Dockerfile, Stage, StageInstruction, Word } from '@tbuild/dockerfile';
import { hasCode, locate, suggest, TbuildError } from '@tbuild/errors';
import type { SourceRange } from '@tbuild/errors';
import { parsePlatform } from '@tbuild/oci';
import type { Platform } from '@tbuild/oci';
import { lookupIn } from './environment.ts';
import type { Environment } from './environment.ts';
import { contextOrigin, imageOrigin } from './origin.ts';
import type { Origin } from './origin.ts';
import type { NamedContext } from './plan.ts';

/** A stage and what it stands on, as far as the file and the options alone can tell. */
export interface StageNode {
  readonly stage: Stage;
  readonly base: Origin;
  /** FROM's image name after expansion. */
  readonly baseName: string;
  /** From `--platform`. */
  readonly platform?: Platform;
  /** A named context took the place of the stage: its instructions do not count. */
  readonly replaced: boolean;
}

/** The stages of a file; `names` leads from a lower-cased name to the last stage that has it. */
export interface StageGraph {
  readonly nodes: readonly StageNode[];
  readonly names: ReadonlyMap<string, number>;
  readonly contexts: Readonly<Record<string, NamedContext>>;
  readonly escape: '\\' | '`';
}

export interface StageGraphOptions {
  readonly globalArgs: Environment;
  readonly buildPlatform: Platform;
  readonly contexts: Readonly<Record<string, NamedContext>>;
}

/**
 * Finds what each stage stands on.
 * @throws TbuildError DOCKERFILE_SEMANTICS for an empty image name, a bad platform and stages in a circle.
 */
export function openStageGraph(dockerfile: Dockerfile, options: StageGraphOptions): StageGraph {
  const names = new Map<string, number>();
  const { escape } = dockerfile.directives;
  const nodes: StageNode[] = [];
  for (const stage of dockerfile.stages) {
    nodes.push(openNode(stage, names, { ...options, escape }));
    if (stage.name !== undefined) names.set(stage.name, stage.index);
  }
  const graph = { nodes, names, contexts: options.contexts, escape };
  checkCircles(graph);
  return graph;
}

/**
 * The stage to build: the one named so, in any case, or the last one.
 * @throws TbuildError DOCKERFILE_SEMANTICS when no stage has the name; Docker takes no index here.
 */
export function findTarget(graph: StageGraph, target: string | undefined): StageNode {
  const last = graph.nodes.at(-1);
  if (last === undefined) throw new Error('A Dockerfile has at least one stage');
  if (target === undefined || target === '') return last;
  const index = graph.names.get(target.toLowerCase());
  const node = index === undefined ? undefined : graph.nodes[index];
  if (node !== undefined) return node;
  const hint = didYouMean(target, graph.names.keys());
  throw new TbuildError('DOCKERFILE_SEMANTICS', `Target stage ${JSON.stringify(target)} is not defined`, {
    hint: hint ?? listOf(graph.names.keys()),
  });
}

/** What an instruction reads from, as written: the `--from` of COPY or of a mount. */
export interface SourceName {
  readonly name: string;
  readonly location: SourceRange;
  /** COPY may also give the index of a stage. */
  readonly index: boolean;
}

/** The names in an instruction, in order. */
export function sourceNames(instruction: StageInstruction): SourceName[] {
  if (instruction.kind === 'copy') {
    const { from } = instruction;
    return from === undefined ? [] : [{ name: from.text, location: from.location, index: true }];
  }
  if (instruction.kind !== 'run') return [];
  return instruction.mounts.flatMap(({ type, options, location }) => {
    const name = options.from;
    const reads = type === 'bind' || type === 'cache';
    return name === undefined || name === '' || !reads ? [] : [{ name, location, index: false }];
  });
}

/**
 * What a name in stage `user` stands for: a stage, else an image or a named context.
 * @throws TbuildError DOCKERFILE_SEMANTICS for the index of no stage.
 */
export function resolveSource(graph: StageGraph, { name, location, index }: SourceName): Origin {
  if (index && /^[+-]?\d+$/.test(name)) {
    const number = Number(name);
    if (graph.nodes[number] !== undefined) return { kind: 'stage', index: number };
    throw new TbuildError('DOCKERFILE_SEMANTICS', `Stage index ${name} is not defined`, {
      location,
      hint: `The file has ${graph.nodes.length} stages, counted from 0`,
    });
  }
  const stage = graph.names.get(name.toLowerCase());
  return stage === undefined ? imageOrigin(name, graph.contexts) : { kind: 'stage', index: stage };
}

/** @throws TbuildError DOCKERFILE_SEMANTICS when stage `user` reads from a stage that is not before it. */
export function checkOrder(graph: StageGraph, user: StageNode, origin: Origin, source: SourceName): void {
  if (origin.kind !== 'stage' || origin.index < user.stage.index) return;
  if (origin.index === user.stage.index) throw circle(user, source.location);
  const name = stageLabel(graph.nodes[origin.index] ?? user);
  throw new TbuildError(
    'DOCKERFILE_SEMANTICS',
    `Cannot read from stage ${JSON.stringify(name)}: it must be defined before stage ${JSON.stringify(stageLabel(user))}`,
    { location: source.location, hint: 'Move the stage up' },
  );
}

/** A stage's name, or `stage-N` when it has none. */
export function stageLabel({ stage }: Pick<StageNode, 'stage'>): string {
  return stage.name ?? `stage-${stage.index}`;
}

/** The hint for a misspelt word, when a candidate is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const near = suggest(word, candidates);
  return near === undefined ? undefined : `Did you mean "${near}"?`;
}

type NodeOptions = StageGraphOptions & { readonly escape: '\\' | '`' };

function openNode(stage: Stage, names: ReadonlyMap<string, number>, options: NodeOptions): StageNode {
  const { image, platform: platformWord } = stage.from;
  const baseName = expandGlobal(image, options);
  if (baseName === '') {
    throw new TbuildError('DOCKERFILE_SEMANTICS', `Base name ${JSON.stringify(image.text)} is blank after expansion`, {
      location: image.location,
      hint: 'Give the ARG a default before the first FROM, or a value with --build-arg',
    });
  }
  const platform = platformWord === undefined ? undefined : readPlatform(platformWord, options);
  const replacement = stage.name === undefined ? undefined : contextOrigin(stage.name, options.contexts);
  const earlier = names.get(baseName);
  const base = earlier === undefined ? imageOrigin(baseName, options.contexts) : { kind: 'stage' as const, index: earlier };
  return {
    stage,
    baseName,
    base: replacement ?? base,
    replaced: replacement !== undefined,
    ...(platform === undefined ? {} : { platform }),
  };
}

function readPlatform(word: Word, options: NodeOptions): Platform {
  const text = expandGlobal(word, options);
  if (text === '') {
    const message = `Platform ${JSON.stringify(word.text)} is blank after expansion`;
    throw new TbuildError('DOCKERFILE_SEMANTICS', message, {
      location: word.location,
      hint: unsetHint(word, options),
    });
  }
  try {
    return parsePlatform(text, options.buildPlatform);
  } catch (error) {
    if (!hasCode(error, 'USAGE')) throw error;
    throw new TbuildError('DOCKERFILE_SEMANTICS', error.message, { location: word.location, hint: error.hint });
  }
}

function unsetHint(word: Word, { globalArgs, escape }: NodeOptions): string | undefined {
  const unset: string[] = [];
  expandWord(word.text, lookupIn(globalArgs), { escape, onUnset: (name) => unset.push(name) });
  const names = globalArgs.map(({ name }) => name);
  return unset.map((name) => didYouMean(name, names)).find((hint) => hint !== undefined);
}

function expandGlobal(word: Word, { globalArgs, escape }: NodeOptions): string {
  try {
    return expandWord(word.text, lookupIn(globalArgs), { escape });
  } catch (error) {
    throw locate(error, word.location);
  }
}

/** Docker looks for circles in the whole file, also in stages that are not built. */
function checkCircles(graph: StageGraph): void {
  const edges = graph.nodes.map(({ stage }) =>
    stage.instructions.flatMap(sourceNames).flatMap((source) => {
      const origin = resolveSource(graph, source);
      return origin.kind === 'stage' ? [{ to: origin.index, location: source.location }] : [];
    }),
  );
  const done = new Set<number>();
  const open = new Set<number>();
  const visit = (index: number): void => {
    if (done.has(index)) return;
    open.add(index);
    for (const { to, location } of edges[index] ?? []) {
      const node = graph.nodes[to];
      if (open.has(to) && node !== undefined) throw circle(node, location);
      visit(to);
    }
    open.delete(index);
    done.add(index);
  };
  for (const index of graph.nodes.keys()) visit(index);
}

function circle(node: StageNode, location: SourceRange): TbuildError {
  const message = `Stage ${JSON.stringify(stageLabel(node))} depends on itself`;
  return new TbuildError('DOCKERFILE_SEMANTICS', message, { location });
}

function listOf(names: Iterable<string>): string {
  const all = [...names];
  return all.length === 0 ? 'The file names no stage; give one a name with FROM … AS name' : `The stages are ${all.join(', ')}`;
}
