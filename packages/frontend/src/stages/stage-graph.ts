import { expandWord, type Dockerfile, type Stage, type Word } from '@tbuild/dockerfile';
import { hasCode, locate, suggest, TbuildError, uncapitalized } from '@tbuild/errors';
import { parsePlatform, type Platform } from '@tbuild/oci';
import { lookupIn, type Environment } from '../environment.ts';
import { contextOrigin, imageOrigin, type ContextNames, type Origin } from '../origin.ts';

/** A stage and its base, as far as the file and the options define them. */
export interface StageNode {
  readonly stage: Stage;
  readonly base: Origin;
  /** The image name of FROM after expansion. */
  readonly baseName: string;
  /** What would give the empty variables in FROM a value; undefined if there are none. */
  readonly emptyHint?: string;
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

type NodeOptions = StageGraphOptions & {
  readonly escape: '\\' | '`';
  /** The names that ARG declares before the first FROM. */
  readonly declared: ReadonlySet<string>;
};

/**
 * Finds the base of each stage.
 * @throws TbuildError DOCKERFILE_SEMANTICS for an empty image name and an invalid platform.
 */
export function openStageGraph(dockerfile: Dockerfile, options: StageGraphOptions): StageGraph {
  const names = new Map<string, number>();
  const { escape } = dockerfile.directives;
  const declared = new Set(dockerfile.globalArgs.flatMap(({ args }) => args.map(({ key }) => key.text)));
  const nodes: StageNode[] = [];
  for (const stage of dockerfile.stages) {
    nodes.push(openNode(stage, names, { ...options, escape, declared }));
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
  throw new TbuildError('DOCKERFILE_SEMANTICS', `Target stage ${JSON.stringify(target)} could not be found`, {
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

function openNode(stage: Stage, names: ReadonlyMap<string, number>, options: NodeOptions): StageNode {
  const { image, platform: platformWord } = stage.from;
  const { text: baseName, emptyHint } = expandGlobal(image, options);
  if (baseName === '') {
    throw new TbuildError('DOCKERFILE_SEMANTICS', `Base name (${image.text}) should not be blank`, {
      location: image.location,
      hint: emptyHint,
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
    ...(emptyHint === undefined ? {} : { emptyHint }),
    ...(platform === undefined ? {} : { platform }),
  };
}

function readPlatform(word: Word, options: NodeOptions): Platform {
  const { text, emptyHint } = expandGlobal(word, options);
  if (text === '') {
    const message = `Failed to parse platform : "" is an invalid component of "": ${JSON.stringify(word.text)} is blank after expansion`;
    throw new TbuildError('DOCKERFILE_SEMANTICS', message, { location: word.location, hint: emptyHint });
  }
  try {
    return parsePlatform(text, options.buildPlatform);
  } catch (error) {
    if (!hasCode(error, 'USAGE')) throw error;
    const hint = emptyHint ?? error.hint;
    const message = `Failed to parse platform ${text}: ${uncapitalized(error.message)}`;
    throw new TbuildError('DOCKERFILE_SEMANTICS', message, { location: word.location, hint });
  }
}

interface Expanded {
  readonly text: string;
  /** What would give the first empty variable a value. */
  readonly emptyHint?: string;
}

function expandGlobal(word: Word, options: NodeOptions): Expanded {
  let empty: string | undefined;
  const known = lookupIn(options.globalArgs);
  const lookup = (name: string): string | undefined => {
    const value = known(name);
    if (value === undefined || value === '') empty ??= name;
    return value;
  };
  const hint = (): string | undefined => (empty === undefined ? undefined : hintFor(empty, options));
  try {
    return { text: expandWord(word.text, lookup, { escape: options.escape }), emptyHint: hint() };
  } catch (error) {
    // A variable that is required.
    if (error instanceof TbuildError) Object.assign(error, { hint: error.hint ?? hint() });
    throw locate(error, word.location);
  }
}

/** Says how to set a variable that is empty. */
function hintFor(name: string, { globalArgs, declared }: NodeOptions): string {
  if (declared.has(name)) return `Pass --build-arg ${name}=VALUE, or give ARG ${name} a default: it is empty`;
  const near = didYouMean(name, [...declared, ...globalArgs.byLast().map(([known]) => known)]);
  return (
    near ?? `Write ARG ${name} before the first FROM, and pass --build-arg ${name}=VALUE: no ARG there declares it`
  );
}

function listOf(names: Iterable<string>): string {
  const all = [...names];
  return all.length === 0
    ? 'Give a stage a name with FROM … AS name: the file names none'
    : `Use one of ${all.join(', ')}`;
}
