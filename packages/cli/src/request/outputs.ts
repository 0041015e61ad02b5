import type { BuildRequest } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import { parseReference, type Platform } from '@tbuild/oci';
import type { Annotation, BuildSpec, OutputSpec } from '@tbuild/spec';
import { annotationsNamed } from './annotation.ts';
import { outputSpec, type OutputContext } from './output-spec.ts';

export interface OutputsContext extends OutputContext {
  /** Full references. */
  readonly tags: readonly string[];
  readonly platforms: readonly Platform[];
  /** The result is an index: several platforms, or attestations. */
  readonly hasIndex: boolean;
  /** Write attestations without artifacts unless an output asks for them. */
  readonly noArtifacts?: boolean;
}

type Outputs = Pick<BuildSpec, 'outputs' | 'push' | 'load' | 'annotations' | 'rewriteTimestamp'>;

/**
 * Returns the outputs of a build. `push` and `load` apply to given outputs, or add one; without any output the image
 * goes into the store. Annotations apply to all outputs that are images.
 * @throws TbuildError USAGE for every mistake that can be found before anything is built.
 */
export function outputSpecs(spec: Outputs, context: OutputsContext): readonly OutputSpec[] {
  const annotations = Object.entries(spec.annotations ?? {}).flatMap(([name, value]) =>
    annotationsNamed(name, value, context.host),
  );
  let outputs = (spec.outputs ?? []).map((output) => outputSpec(output, context));
  // As with buildx, the names of --tag replace those of an output.
  if (context.tags.length > 0) outputs = outputs.map(withoutNames);
  if (spec.push === true) outputs = pushed(outputs);
  if (spec.load === true && !outputs.some(isLoad)) outputs.push({ type: 'docker' });
  // Outputs for a failure are beside what the build makes.
  if (outputs.every(isBeside)) outputs.push({ type: 'image', push: false });
  const complete = outputs.map((output) =>
    withDefaults(annotated(dated(output, spec.rewriteTimestamp), annotations), context),
  );
  for (const output of complete) check(output, context);
  refuseSharing([{ outputs: complete }]);
  return complete;
}

/** Returns the output that goes to standard output, if one does. */
export function onStandardOutput(outputs: readonly OutputSpec[]): OutputSpec | undefined {
  return outputs.find((output) => 'destination' in output && output.destination === '-');
}

/** Returns the registries that outputs with `registry.insecure` go to. */
export function insecureRegistries({ outputs, tags }: Pick<BuildRequest, 'outputs' | 'tags'>): readonly string[] {
  return outputs.flatMap((output) =>
    output.type === 'image' && output.insecure === true
      ? (output.names ?? tags).map((name) => parseReference(name).registry)
      : [],
  );
}

function pushed(outputs: readonly OutputSpec[]): OutputSpec[] {
  if (!outputs.some(({ type }) => type === 'image')) return [...outputs, { type: 'image', push: true }];
  return outputs.map((output) => (output.type === 'image' ? { ...output, push: true } : output));
}

function isLoad(output: OutputSpec): boolean {
  return output.type === 'docker' && output.destination === undefined;
}

function isBeside(output: OutputSpec): boolean {
  return output.type === 'local' && output.when !== undefined && output.when !== 'success';
}

function isImage(output: OutputSpec): output is OutputSpec & { readonly type: 'image' | 'oci' | 'docker' } {
  return output.type === 'image' || output.type === 'oci' || output.type === 'docker';
}

function annotated(output: OutputSpec, added: readonly Annotation[]): OutputSpec {
  return isImage(output) && added.length > 0
    ? { ...output, annotations: [...(output.annotations ?? []), ...added] }
    : output;
}

function withoutNames(output: OutputSpec): OutputSpec {
  return isImage(output) && output.names !== undefined ? { ...output, names: undefined } : output;
}

function dated(output: OutputSpec, rewriteTimestamp: boolean | undefined): OutputSpec {
  return isImage(output) && rewriteTimestamp !== undefined && output.rewriteTimestamp === undefined
    ? { ...output, rewriteTimestamp }
    : output;
}

function withDefaults(output: OutputSpec, { noArtifacts = false, platforms }: OutputsContext): OutputSpec {
  if (output.type === 'docker' && isLoad(output) && platforms.length > 1) return { ...output, severalPlatforms: true };
  if (!noArtifacts || !isImage(output) || output.attestationArtifact !== undefined) return output;
  return { ...output, attestationArtifact: false };
}

/**
 * Refuses two archives in one file or stream.
 * @throws TbuildError USAGE
 */
export function refuseSharing(requests: readonly Pick<BuildRequest, 'outputs'>[]): void {
  const taken = new Set<string>();
  for (const output of requests.flatMap(({ outputs }) => outputs)) {
    if (!('destination' in output) || output.destination === undefined || isLayout(output)) continue;
    if (!taken.has(output.destination)) taken.add(output.destination);
    else {
      const place = output.destination === '-' ? 'standard output' : JSON.stringify(output.destination);
      throw new TbuildError('USAGE', `Two outputs cannot both go to ${place}`, { hint: 'Give each its own dest=' });
    }
  }
}

/** A layout is a directory that can hold several images. */
function isLayout(output: OutputSpec): boolean {
  return output.type === 'oci' && !output.tar;
}

function check(output: OutputSpec, { tags, platforms, hasIndex }: OutputsContext): void {
  if (output.type === 'image' && output.push && (output.names ?? tags).length === 0) {
    throw new TbuildError('USAGE', '--push needs a name for the image', { hint: 'Give one with -t REGISTRY/NAME:TAG' });
  }
  if (output.type === 'docker' && !isLoad(output) && platforms.length > 1)
    throw new TbuildError(
      'USAGE',
      `A docker archive holds the image of one platform, but ${platforms.length} platforms are requested`,
      { hint: 'Use -o type=oci, --push, or build one platform' },
    );
  if (!hasIndex && isImage(output)) refuseIndexAnnotations(output.annotations);
}

/** @throws TbuildError USAGE for an annotation that only an index can hold. */
function refuseIndexAnnotations(annotations: readonly Annotation[] = []): void {
  const lost = annotations.find(({ on }) => on === 'index' || on === 'index-descriptor');
  if (lost === undefined) return;
  throw new TbuildError(
    'USAGE',
    `Annotation ${JSON.stringify(lost.name)} is for an index, but the image of one platform has none`,
    { hint: `Use --annotation ${JSON.stringify(`manifest:${lost.name}=${lost.value}`)}, or build several platforms` },
  );
}
