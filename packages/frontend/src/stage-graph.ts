import { expandWord, type Dockerfile, type Stage, type Word } from '@tbuild/dockerfile';
import { hasCode, locate, suggest, TbuildError } from '@tbuild/errors';
import { parsePlatform, type Platform } from '@tbuild/oci';
import { lookupIn, type Environment } from './environment.ts';
import { contextOrigin, imageOrigin, type ContextNames, type Origin } from './origin.ts';

/** A stage and its base, as far as the file and the options define them. */
export interface StageNode {
  readonly stage: Stage;
  readonly base: Origin;
  /** The image name of FROM after expansion. */
  readonly baseName: string;
  /** From `--platform`. */
  readonly platform?: Platform;
  /** True if a named context replaces the stage: its instructions are ignored. */
  readonly replaced: boolean;
}

/** The stages of a file. `names` maps a lower-case name to the last stage of that name. */
export interface StageGraph extends ContextNames {
  readonly nodes: readonly StageNode[];
  readonly names: ReadonlyMap<string, number>;
}

export interface StageGraphOptions extends ContextNames {
  readonly globalArgs: Environment;
  readonly buildPlatform: Platform;
}

/**
 * Finds the base of each stage.
 * @throws TbuildError DOCKERFILE_SEMANTICS for an empty image name and an invalid platform.
 */
export function openStageGraph(dockerfile: Dockerfile, options: StageGraphOptions): StageGraph {
  const names = new Map<string, number>();
  const { escape } = dockerfile.directives;
  const nodes: StageNode[] = [];
  for (const stage of dockerfile.stages) {
    nodes.push(openNode(stage, names, { ...options, escape }));
    if (stage.name !== undefined) names.set(stage.name, stage.index);
  }
  return { nodes, names, contexts: options.contexts, platform: options.platform };
}

/**
 * Returns the stage to build: the one with this name in any case, or the last one.
 * @throws TbuildError DOCKERFILE_SEMANTICS if no stage has the name. As in Docker, an index is not accepted.
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

/** Returns a stage's name, or `stage-N` if it has none. */
export function stageLabel({ stage }: Pick<StageNode, 'stage'>): string {
  return stage.name ?? `stage-${stage.index}`;
}

/** Returns the hint for a misspelt word, if a candidate is near. */
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
      hint: unsetHint(image, options) ?? 'Give the ARG a default before the first FROM, or a value with --build-arg',
    });
  }
  const platform = platformWord === undefined ? undefined : readPlatform(platformWord, options);
  const contexts = { contexts: options.contexts, platform: platform ?? options.platform };
  const replacement = stage.name === undefined ? undefined : contextOrigin(stage.name, contexts);
  const earlier = names.get(baseName);
  const base = earlier === undefined ? imageOrigin(baseName, contexts) : { kind: 'stage' as const, index: earlier };
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
    const hint = unsetHint(word, options) ?? error.hint;
    throw new TbuildError('DOCKERFILE_SEMANTICS', error.message, { location: word.location, hint });
  }
}

function unsetHint(word: Word, { globalArgs, escape }: NodeOptions): string | undefined {
  const unset: string[] = [];
  expandWord(word.text, lookupIn(globalArgs), { escape, onUnset: (name) => unset.push(name) });
  const names = globalArgs.byLast().map(([name]) => name);
  return unset.map((name) => didYouMean(name, names)).find((hint) => hint !== undefined);
}

function expandGlobal(word: Word, { globalArgs, escape }: NodeOptions): string {
  try {
    return expandWord(word.text, lookupIn(globalArgs), { escape });
  } catch (error) {
    throw locate(error, word.location);
  }
}

function listOf(names: Iterable<string>): string {
  const all = [...names];
  return all.length === 0
    ? 'The file names no stage; give one a name with FROM … AS name'
    : `The stages are ${all.join(', ')}`;
}
