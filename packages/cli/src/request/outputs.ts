import type { BuildRequest } from '@tbuild/builder';
import type { OutputSpec } from '@tbuild/spec';
import { TbuildError } from '@tbuild/errors';
import type { Annotation } from '@tbuild/spec';
import { parseReference, type Platform } from '@tbuild/oci';
import { parseAnnotation } from './annotation.ts';
import type { FlagValues } from '../flags/args.ts';
import type { buildFlags } from '../flags/build-flags.ts';
import { parseOutput } from './output-spec.ts';

export interface OutputContext {
  readonly cwd: string;
  readonly tags: readonly string[];
  readonly platforms: readonly Platform[];
  readonly host: Platform;
  /** Attestations are no artifacts unless an output says so. */
  readonly noArtifacts?: boolean;
}

type OutputFlags = Pick<FlagValues<typeof buildFlags>, 'output' | 'push' | 'load' | 'annotation' | 'quiet'>;

/**
 * What `--output`, `--push`, `--load` and `--annotation` ask for together: `--push` and `--load` apply to
 * outputs that are there, or add one; without any, the image goes into the store.
 * @throws TbuildError USAGE, UNSUPPORTED for what can be known to fail before anything is built.
 */
export function parseOutputs(flags: OutputFlags, context: OutputContext): readonly OutputSpec[] {
  const annotations = (flags.annotation ?? []).flatMap((text) => parseAnnotation(text, context.host));
  let outputs: OutputSpec[] = (flags.output ?? []).map((text) => parseOutput(text, context));
  if (flags.push === true) outputs = pushed(outputs);
  if (flags.load === true && !outputs.some(isLoad)) outputs.push({ type: 'docker' });
  if (outputs.length === 0) outputs.push({ type: 'image', push: false });
  const complete = outputs.map((output) => withDefaults(annotated(output, annotations), context));
  for (const output of complete) check(output, context);
  refuseMixing(complete, flags.quiet === true);
  return complete;
}

/** The registries that outputs with `registry.insecure` go to. */
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

function isImage(output: OutputSpec): output is OutputSpec & { readonly type: 'image' | 'oci' | 'docker' } {
  return output.type === 'image' || output.type === 'oci' || output.type === 'docker';
}

function annotated(output: OutputSpec, added: readonly Annotation[]): OutputSpec {
  return isImage(output) && added.length > 0
    ? { ...output, annotations: [...(output.annotations ?? []), ...added] }
    : output;
}

function withDefaults(output: OutputSpec, { noArtifacts = false }: OutputContext): OutputSpec {
  if (!noArtifacts || !isImage(output) || output.attestationArtifact !== undefined) return output;
  return { ...output, attestationArtifact: false };
}

/** Two archives in one stream, or in one file, are none; with an ID behind it one is none either. */
function refuseMixing(outputs: readonly OutputSpec[], printsId: boolean): void {
  const taken = new Set<string>();
  if (printsId && outputs.some((output) => 'destination' in output && output.destination === '-'))
    throw new TbuildError('USAGE', 'Standard output cannot have both an archive and the image ID of --quiet', {
      hint: 'Use --progress none, and --iidfile for the ID',
    });
  for (const output of outputs) {
    if (!('destination' in output) || output.destination === undefined || isLayout(output)) continue;
    if (!taken.has(output.destination)) taken.add(output.destination);
    else {
      const place = output.destination === '-' ? 'standard output' : JSON.stringify(output.destination);
      throw new TbuildError('USAGE', `Two outputs cannot both go to ${place}`, { hint: 'Give each its own dest=' });
    }
  }
}

/** Several images may be added to a layout. */
function isLayout(output: OutputSpec): boolean {
  return output.type === 'oci' && !output.tar;
}

function check(output: OutputSpec, { tags, platforms }: OutputContext): void {
  if (output.type === 'image' && output.push && (output.names ?? tags).length === 0) {
    throw new TbuildError('USAGE', 'Pushing needs a name', { hint: 'Give one with -t REGISTRY/NAME:TAG' });
  }
  if (output.type === 'docker' && platforms.length > 1) {
    const what = output.destination === undefined ? 'Docker and Podman load' : 'A docker archive holds';
    throw new TbuildError('UNSUPPORTED', `${what} the image of one platform, and ${platforms.length} were asked for`, {
      hint: 'Use -o type=oci, --push, or build one platform',
    });
  }
}
