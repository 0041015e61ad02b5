import { posix } from 'node:path';
import {
  type Dockerfile,
  type InstructionBase,
  type KeyValue,
  type RunInstruction,
  expandWord,
} from '@tbuild/dockerfile';
import type { SourceRange } from '@tbuild/errors';
import { buildArg, globalScope } from './build-args.ts';
import { lookupIn, variable, type Environment } from './environment.ts';
import type { Plan, PlanOptions } from './plan.ts';
import { findTarget, openStageGraph, stageLabel, type StageGraph, type StageNode } from './stage-graph.ts';
import { resolveSource, sourceNames } from './stage-sources.ts';

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
  /** The values of ARGs in the plan of the target. */
  readonly declared: Plan['declaredArgs'];
}

/**
 * Returns the arguments, secrets and agents of the target and of the stages that it needs. Arguments before the first
 * FROM are included if a FROM or an ARG of such a stage uses them.
 * @throws TbuildError DOCKERFILE_SEMANTICS for the same reasons as planning.
 */
export function outlineDockerfile(dockerfile: Dockerfile, options: OutlineOptions): Outline {
  const globalArgs = globalScope(dockerfile, options);
  const graph = openStageGraph(dockerfile, { ...options, globalArgs });
  const target = findTarget(graph, options.target);
  const nodes = neededBy(graph, target);
  const runs = nodes.flatMap(({ stage }) => stage.instructions.filter((instruction) => instruction.kind === 'run'));
  const { name, from } = target.stage;
  return {
    ...(name === undefined ? {} : { name }),
    description: descriptionIn(from, name),
    args: argsOf(dockerfile, nodes, { ...options, globalArgs, escape: dockerfile.directives.escape }),
    secrets: mountsOf(runs, 'secret'),
    ssh: mountsOf(runs, 'ssh'),
  };
}

/** Returns the comment directly above an instruction that describes `name`: the line that begins with it. */
export function descriptionIn({ comments }: InstructionBase, name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  return comments.find((comment) => comment.startsWith(`${name} `))?.slice(name.length + 1);
}

/** Returns the target and the stages that it needs, in the order of the file. */
function neededBy(graph: StageGraph, target: StageNode): readonly StageNode[] {
  const needed = new Set<StageNode>();
  const visit = (index: number): void => {
    const node = graph.nodes[index];
    if (node === undefined || needed.has(node)) return;
    needed.add(node);
    if (node.base.kind === 'stage') visit(node.base.index);
    for (const source of node.replaced ? [] : node.stage.instructions.flatMap(sourceNames)) {
      const origin = resolveSource(graph, source);
      if (origin.kind === 'stage') visit(origin.index);
    }
  };
  visit(target.stage.index);
  return graph.nodes.filter((node) => needed.has(node));
}

type ArgOptions = OutlineOptions & { readonly globalArgs: Environment; readonly escape: '\\' | '`' };

function argsOf(dockerfile: Dockerfile, nodes: readonly StageNode[], options: ArgOptions): OutlineArg[] {
  const found = new Map<string, OutlineArg>();
  const used = new Set<string>();
  for (const { stage, replaced } of nodes) {
    for (const word of [stage.from.image, stage.from.platform]) {
      if (word !== undefined) namesIn(word.text, options).forEach((name) => used.add(name));
    }
    for (const instruction of replaced ? [] : stage.instructions) {
      if (instruction.kind !== 'arg') continue;
      for (const pair of instruction.args) {
        const arg = ownArg(pair, instruction, { ...options, stage: stageLabel({ stage }) });
        if (arg === undefined) used.add(pair.key.text);
        else if (!found.has(arg.name)) found.set(arg.name, arg);
      }
    }
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
  return [...found.values()].toSorted((a, b) => a.location.start.line - b.location.start.line);
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
  const known = declared.findLast((arg) => arg.stage === stage && arg.name === name);
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

function mountsOf(runs: readonly RunInstruction[], type: 'secret' | 'ssh'): OutlineMount[] {
  const found = new Map<string, OutlineMount>();
  for (const { mounts, location } of runs) {
    for (const { options } of mounts.filter((mount) => mount.type === type)) {
      const name = options.source ?? options.id ?? (type === 'ssh' ? 'default' : posix.basename(options.target ?? ''));
      if (!found.has(name)) found.set(name, { name, required: isTrue(options.required), location });
    }
  }
  return [...found.values()];
}

function isTrue(text: string | undefined): boolean {
  return text !== undefined && /^(?:1|t|true)$/i.test(text);
}
