import { getOrMake } from '@tbuild/concurrency';
import { parseInstruction, type StageInstruction } from '@tbuild/dockerfile';
import { hasCode, locate, TbuildError, uncapitalized, type SourceRange } from '@tbuild/errors';
import { goBool, canonicalJson, formatPlatform, parseReferenceOr, type Platform } from '@tbuild/oci';
import { buildArg } from '../build-args.ts';
import type { Origin } from '../origin.ts';
import type { PlanOptions, ResolvedImage } from '../plan.ts';
import { didYouMean, stageLabel, type StageGraph, type StageNode } from './stage-graph.ts';
import { checkOrder, resolveSource, sourceNames } from './stage-sources.ts';

/** A stage whose images are all resolved. */
export interface ResolvedStage {
  readonly node: StageNode;
  /** The platform of its steps: from `--platform`, from its base stage, or the target's. */
  readonly platform: Platform;
  /** The image of the base, if the base is an image. */
  readonly image?: ResolvedImage;
  /** The ONBUILD instructions of the base, which run before the stage's own. */
  readonly triggers: readonly StageInstruction[];
}

/** The stages that the target needs, and the images that they read. */
export interface ResolvedStages {
  /** By index, in the order of the file. */
  readonly stages: readonly ResolvedStage[];
  /** @throws Error if the stages do not name the image. */
  imageOf(origin: Extract<Origin, { kind: 'image' }>, platform: Platform): ResolvedImage;
}

/**
 * Follows the target's dependencies and resolves the images among them, in parallel and once each. Bases come first,
 * since their ONBUILD triggers may add dependencies.
 * @throws TbuildError the errors of `resolveImage` with a location; DOCKERFILE_SEMANTICS for invalid references.
 */
export async function resolveStages(
  graph: StageGraph,
  target: StageNode,
  options: PlanOptions,
): Promise<ResolvedStages> {
  const failed = new AbortController();
  const images = createImageResolver(graph, options, AbortSignal.any([options.signal, failed.signal]));
  const stages = new Map<number, Promise<ResolvedStage>>();
  const visit = (index: number): Promise<ResolvedStage> => {
    const node = graph.nodes[index];
    if (node === undefined) throw new Error(`Stage ${index} is not in the graph`);
    // A chain of thousands of stages would overflow the call stack without this new turn.
    const resolve = () => Promise.resolve().then(() => resolveStage({ graph, options, images, visit }, node));
    return getOrMake(stages, index, resolve);
  };
  try {
    await visit(target.stage.index);
    if (options.allStages === true) await Promise.all(graph.nodes.map((_, index) => visit(index)));
    const resolved = await Promise.all(stages.values());
    resolved.sort((a, b) => a.node.stage.index - b.node.stage.index);
    return { stages: resolved, imageOf: images.get };
  } catch (error) {
    failed.abort();
    throw error;
  }
}

interface ImageResolver {
  resolve(
    origin: Extract<Origin, { kind: 'image' }>,
    platform: Platform,
    location: SourceRange,
  ): Promise<ResolvedImage>;
  get(origin: Extract<Origin, { kind: 'image' }>, platform: Platform): ResolvedImage;
}

interface Visitor {
  readonly graph: StageGraph;
  readonly options: PlanOptions;
  readonly images: ImageResolver;
  visit(index: number): Promise<ResolvedStage>;
}

async function resolveStage(visitor: Visitor, node: StageNode): Promise<ResolvedStage> {
  const own = node.replaced ? [] : node.stage.instructions;
  const [base] = await Promise.all([resolveBase(visitor, node), resolveSources(visitor, node, { instructions: own })]);
  refuseWindows(node, base.platform);
  await resolveSources(visitor, node, { instructions: base.triggers, location: node.stage.from.location });
  return { node, ...base };
}

/** Shells, paths and configurations of Windows follow other rules than those of Linux. */
function refuseWindows(node: StageNode, platform: Platform): void {
  if (platform.os !== 'windows') return;
  throw new TbuildError(
    'UNSUPPORTED',
    `Cannot build stage ${JSON.stringify(stageLabel(node))} for ${formatPlatform(platform)}: images for Windows are not supported`,
    { location: node.stage.from.location, hint: 'Build for Linux, for example with --platform linux/amd64' },
  );
}

async function resolveBase(visitor: Visitor, node: StageNode): Promise<Omit<ResolvedStage, 'node'>> {
  const { base, stage } = node;
  const platform = node.platform ?? visitor.options.platform;
  if (base.kind === 'stage') {
    const below = await visitor.visit(base.index);
    const onbuild = below.node.replaced || ignoresTriggers(visitor.options) ? [] : below.node.stage.instructions;
    const texts = onbuild.flatMap((instruction) => (instruction.kind === 'onbuild' ? [instruction.trigger] : []));
    return { platform: below.platform, triggers: parseTriggers(node, texts) };
  }
  if (base.kind === 'target') {
    const triggers = node.replaced ? [] : (base.plan.config.OnBuild ?? []);
    return { platform: base.plan.platform, triggers: parseTriggers(node, triggers) };
  }
  if (base.kind !== 'image')
    return { platform: base.kind === 'scratch' ? visitor.options.platform : platform, triggers: [] };
  const image = await visitor.images.resolve(base, platform, stage.from.image.location).catch((error: unknown) => {
    throw explainBase(error, node);
  });
  const texts = node.replaced || ignoresTriggers(visitor.options) ? [] : (image.config.config.OnBuild ?? []);
  return { platform, image, triggers: parseTriggers(node, texts) };
}

function ignoresTriggers({ buildArgs }: PlanOptions): boolean {
  return goBool(buildArg(buildArgs, 'BUILDKIT_DISABLE_ONBUILD')) === true;
}

/** A trigger is parsed on its own, without the escape character of its original file. */
function parseTriggers({ stage }: StageNode, texts: readonly string[]): StageInstruction[] {
  const { location } = stage.from;
  return texts.map((text) => {
    try {
      const options = { file: location.file, escape: '\\' as const, line: location.start.line };
      return { ...parseInstruction(text, options), location };
    } catch (error) {
      if (!(error instanceof TbuildError)) throw error;
      throw new TbuildError(error.code, `ONBUILD trigger ${JSON.stringify(text)} of the base: ${error.message}`, {
        hint: error.hint,
        location,
        cause: error,
      });
    }
  });
}

interface Instructions {
  readonly instructions: readonly StageInstruction[];
  /** The location of instructions that are not in the file. */
  readonly location?: SourceRange;
}

async function resolveSources(
  visitor: Visitor,
  node: StageNode,
  { instructions, location }: Instructions,
): Promise<void> {
  await Promise.all(
    instructions.flatMap(sourceNames).map(async (name) => {
      const source = location === undefined ? name : { ...name, location };
      const origin = resolveSource(visitor.graph, source);
      checkOrder(visitor.graph, node, { origin, location: source.location });
      if (origin.kind === 'stage') await visitor.visit(origin.index);
      if (origin.kind === 'image') await visitor.images.resolve(origin, visitor.options.platform, source.location);
    }),
  );
}

function createImageResolver(graph: StageGraph, options: PlanOptions, signal: AbortSignal): ImageResolver {
  const pending = new Map<string, Promise<ResolvedImage>>();
  const resolved = new Map<string, ResolvedImage>();
  return {
    async resolve({ reference, source }, platform, location) {
      const key = canonicalJson({ reference, source, platform });
      try {
        const image = await getOrMake(pending, key, () =>
          options.resolveImage({ reference, source, platform }, signal),
        );
        resolved.set(key, image);
        return image;
      } catch (error) {
        // The image of a layout has no name that could be a misspelt one.
        const explained = source.kind === 'layout' ? error : withSuggestion(ofFile(error, reference), reference, graph);
        throw locate(explained, location);
      }
    },
    get({ reference, source }, platform) {
      const image = resolved.get(canonicalJson({ reference, source, platform }));
      if (image === undefined) throw new Error(`Image ${reference} was not resolved`);
      return image;
    },
  };
}

/** A reference that is wrong in the file is no mistake of the command line. */
function ofFile(error: unknown, reference: string): unknown {
  if (!hasCode(error, 'USAGE')) return error;
  try {
    parseReferenceOr(`Failed to parse stage name ${JSON.stringify(reference)}`, reference);
    return error;
  } catch (wrong) {
    if (!(wrong instanceof TbuildError)) throw wrong;
    const hint = /^\.{0,2}\//.test(reference) ? 'Name an image: FROM takes no directory' : wrong.hint;
    return Object.assign(wrong, { code: 'DOCKERFILE_SEMANTICS', hint });
  }
}

/** A variable that is empty explains a reference that is not valid. */
function explainBase(error: unknown, { emptyHint }: StageNode): unknown {
  if (!hasCode(error, 'DOCKERFILE_SEMANTICS') || emptyHint === undefined) return error;
  return Object.assign(error, { hint: emptyHint });
}

/** The name of an image that cannot be read may be that of a stage: misspelt, or of one that comes later. */
function withSuggestion(error: unknown, reference: string, graph: StageGraph): unknown {
  if (!(error instanceof TbuildError) || error.code === 'CANCELLED') return error;
  if (graph.names.has(reference))
    return new TbuildError('DOCKERFILE_SEMANTICS', `Stage ${JSON.stringify(reference)} is used before it is defined`, {
      hint: 'Move the stage up',
      cause: error,
    });
  const meant = didYouMean(reference.toLowerCase(), graph.names.keys());
  if (meant === undefined) return error;
  const message = `No stage is named ${JSON.stringify(reference)}, and as an image it cannot be read: ${uncapitalized(error.message)}`;
  return new TbuildError(error.code, message, { hint: meant, cause: error });
}
