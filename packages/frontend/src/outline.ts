import { type Dockerfile, type InstructionBase, type KeyValue, expandWord } from '@tbuild/dockerfile';
import type { SourceRange } from '@tbuild/errors';
import { buildArg, globalScope } from './build-args.ts';
import { lookupIn, variable, type Environment } from './environment.ts';
import type { Plan, PlanOptions } from './plan.ts';
import { findTarget, openStageGraph, stageLabel, type StageGraph, type StageNode } from './stages/stage-graph.ts';
import { resolveSource, sourceNames } from './stages/stage-sources.ts';

/** A build argument of the target. */
export interface OutlineArg {
  readonly name: string;
  /** Its value in this build; empty without a default. */
  readonly value: string;
  readonly description?: string;
  readonly location: SourceRange;
}

/** A secret or an agent that a RUN of the target uses. */
export interface OutlineMount {
  readonly name: string;
  readonly required: boolean;
  readonly location: SourceRange;
}

/** The inputs for a build of one target. */
export interface Outline {
  /** The name of the target, if it has one. */
  readonly name?: string;
  readonly description?: string;
  readonly args: readonly OutlineArg[];
  readonly secrets: readonly OutlineMount[];
  readonly ssh: readonly OutlineMount[];
}

export interface OutlineOptions extends Pick<
  PlanOptions,
  'target' | 'platform' | 'buildPlatform' | 'buildArgs' | 'contexts'
> {
  /** The values of ARGs and mounts in the plan of the target. */
  readonly declared: Pick<Plan, 'declaredArgs' | 'declaredMounts'>;
}

/**
 * Returns the arguments, secrets and agents of the target and of the stages that it needs. Arguments before the first
 * FROM are included if a FROM or an ARG of such a stage uses them. Of the same name the target's own counts first, then
 * that of its base, then those of the stages that it reads from; of two in a stage the last argument and the first mount.
 * @throws TbuildError DOCKERFILE_SEMANTICS for the same reasons as planning.
 */
export function outlineDockerfile(dockerfile: Dockerfile, options: OutlineOptions): Outline {
  const globalArgs = globalScope(dockerfile, options);
  const graph = openStageGraph(dockerfile, { ...options, globalArgs });
  const target = findTarget(graph, options.target);
  const nodes = neededBy(graph, target);
  const { name, from } = target.stage;
  return {
    ...(name === undefined ? {} : { name }),
    description: descriptionIn(from, name),
    args: argsOf(dockerfile, nodes, { ...options, globalArgs, escape: dockerfile.directives.escape }),
    secrets: mountsOf(nodes, 'secret', options.declared),
    ssh: mountsOf(nodes, 'ssh', options.declared),
  };
}

/** Returns the comment directly above an instruction that describes `name`: the line that begins with it. */
export function descriptionIn({ comments }: InstructionBase, name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  return comments.find((comment) => comment.startsWith(`${name} `))?.slice(name.length + 1);
}

/** Returns the target and the stages that it needs: each before its base, and that before the stages it reads from. */
function neededBy(graph: StageGraph, target: StageNode): readonly StageNode[] {
  const needed = new Set<StageNode>();
  // Recursion would overflow the call stack on a chain of thousands of stages.
  const pending = [target];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (needed.has(node)) continue;
    needed.add(node);
    const sources = node.replaced ? [] : node.stage.instructions.flatMap(sourceNames);
    const origins = [node.base, ...sources.map((source) => resolveSource(graph, source))];
    for (const origin of origins.toReversed()) {
      const next = origin.kind === 'stage' ? graph.nodes[origin.index] : undefined;
      if (next !== undefined) pending.push(next);
    }
  }
  return [...needed];
}

type ArgOptions = OutlineOptions & { readonly globalArgs: Environment; readonly escape: '\\' | '`' };

function argsOf(dockerfile: Dockerfile, nodes: readonly StageNode[], options: ArgOptions): OutlineArg[] {
  const found = new Map<string, OutlineArg>();
  const used = new Set<string>();
  for (const { stage, replaced } of nodes) {
    for (const word of [stage.from.image, stage.from.platform]) {
      if (word !== undefined) namesIn(word.text, options).forEach((name) => used.add(name));
    }
    const own = new Map<string, OutlineArg>();
    for (const instruction of replaced ? [] : stage.instructions) {
      if (instruction.kind !== 'arg') continue;
      for (const pair of instruction.args) {
        const arg = ownArg(pair, instruction, { ...options, stage: stageLabel({ stage }) });
        if (arg === undefined) used.add(pair.key.text);
        else own.set(arg.name, arg);
      }
    }
    for (const [name, arg] of own) if (!found.has(name)) found.set(name, arg);
  }
  for (const instruction of dockerfile.globalArgs.toReversed()) {
    for (const { key, value } of instruction.args.toReversed()) {
      const name = key.text;
      if (!used.has(name) || found.has(name)) continue;
      namesIn(value?.text ?? '', options).forEach((inner) => used.add(inner));
      found.set(name, {
        name,
        value: variable(options.globalArgs, name) ?? '',
        description: descriptionIn(instruction, name),
        location: instruction.location,
      });
    }
  }
  return byLine(found);
}

/** An ARG that only passes on the global one of its name has the description of the global one. */
function ownArg(
  { key, value }: KeyValue,
  instruction: InstructionBase,
  { buildArgs, globalArgs, declared, stage }: ArgOptions & { readonly stage: string },
): OutlineArg | undefined {
  const name = key.text;
  const given = buildArg(buildArgs, name);
  if (given === undefined && value === undefined && variable(globalArgs, name) !== undefined) return undefined;
  const known = declared.declaredArgs.findLast((arg) => arg.stage === stage && arg.name === name);
  return {
    name,
    value: known?.value ?? given ?? '',
    description: descriptionIn(instruction, name),
    location: instruction.location,
  };
}

/** Returns the variables in a text that is known to expand. */
function namesIn(text: string, { globalArgs, escape }: Pick<ArgOptions, 'globalArgs' | 'escape'>): readonly string[] {
  const names = new Set<string>();
  const lookup = lookupIn(globalArgs);
  const recording = (name: string): string | undefined => {
    names.add(name);
    return lookup(name);
  };
  expandWord(text, recording, { escape });
  return [...names];
}

function mountsOf(
  nodes: readonly StageNode[],
  type: 'secret' | 'ssh',
  { declaredMounts }: Pick<Plan, 'declaredMounts'>,
): OutlineMount[] {
  const found = new Map<string, OutlineMount>();
  for (const node of nodes) {
    for (const mount of declaredMounts) {
      if (mount.type !== type || mount.stage !== stageLabel(node) || found.has(mount.name)) continue;
      found.set(mount.name, { name: mount.name, required: mount.required, location: mount.location });
    }
  }
  return byLine(found);
}

function byLine<T extends { readonly location: SourceRange }>(found: ReadonlyMap<string, T>): T[] {
  return [...found.values()].toSorted((a, b) => a.location.start.line - b.location.start.line);
}
