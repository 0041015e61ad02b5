import { join } from 'node:path';
import { runBuild } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import { formatPlatform, samePlatform, type Platform } from '@tbuild/oci';
import { createChannel } from '@tbuild/progress';
import type { BuildSpec } from '@tbuild/spec';
import { acquireLease, storeLayout } from '@tbuild/store';
import { display } from '@tbuild/tui';
import {
  openPlace,
  readImage,
  readRecipe,
  rewrittenTime,
  wasRewritten,
  type Places,
  type ReadImage,
  type Recipe,
} from '@tbuild/verify';
import { makeStore } from '../../config/store-root.ts';
import { buildArgsOf, isolationOf, networkOf, permissionOf, sshPair } from '../../flags/build-spec.ts';
import { parseFields } from '../../flags/fields.ts';
import { requirePair, splitPair } from '../../flags/pairs.ts';
import { registryOptions, type registryFlags } from '../../flags/registry-flags.ts';
import { formatError } from '../../print/report-error.ts';
import { buildRequest } from '../../request/build-request.ts';
import { parseSecrets } from '../../request/secrets.ts';
import { createServices, thisPlatform } from '../../services/create-services.ts';
import { loopbackProxyPorts } from '../../services/step-network.ts';
import type { StoreCall } from '../store-command.ts';

/** Options that take the place of what provenance records, or add what it lacks. */
export const recipeFlags = {
  context: { kind: 'text', value: 'CONTEXT', help: 'The context, instead of the recorded one' },
  file: { kind: 'text', short: 'f', value: 'FILE', help: 'The Dockerfile' },
  target: { kind: 'text', value: 'STAGE', help: 'The stage to build' },
  'build-arg': { kind: 'list', value: 'NAME=VALUE', help: 'A build argument' },
  'build-context': { kind: 'list', value: 'NAME=SOURCE', help: 'A named context' },
  label: { kind: 'list', value: 'NAME=VALUE', help: 'A label' },
  secret: { kind: 'list', value: 'id=ID,src=FILE', help: 'A secret' },
  ssh: { kind: 'list', value: 'ID[=SOCKET|KEY,...]', help: 'An SSH agent or keys' },
  network: { kind: 'text', value: 'MODE', help: 'The network of RUN steps' },
  allow: { kind: 'list', value: 'PERMISSION', help: 'What RUN steps may do that is refused otherwise' },
  isolation: { kind: 'text', value: 'MODE', help: 'How RUN steps are isolated' },
  'rewrite-timestamp': { kind: 'switch', help: 'Rewrite the times of files (default: as the image was made)' },
} as const;

type RecipeFlags = typeof recipeFlags & typeof registryFlags;
type Call = Pick<StoreCall<RecipeFlags>, 'flags' | 'env' | 'signal'>;

/** The image that was built again, or why there is none. */
export type Reproduced = { readonly notes: readonly string[] } & (
  | { readonly image: ReadImage; readonly failure?: undefined }
  | { readonly failure: { readonly message: string; readonly text: string } }
);

export interface ReproduceOptions {
  readonly platform: Platform;
  /** Whether the first build was asked for the platform. One that was not takes more from its base image. */
  readonly isAsked: boolean;
  readonly places: Places;
  /** Where the build has its store and its image. Builds with the same one share steps. */
  readonly directory: string;
}

/** Builds an image again. A failure of that is a result. */
export async function reproduce(image: ReadImage, call: Call, options: ReproduceOptions): Promise<Reproduced> {
  const { directory, places, platform } = options;
  const notes: string[] = [];
  try {
    const spec = specOf(image, call, { ...options, notes });
    const layout = join(directory, `image-${formatPlatform(platform).replaceAll('/', '-')}`);
    const outputs = [await outputOf(image, spec, { ...call, dest: layout })];
    await buildIn(join(directory, 'store'), { ...spec, outputs }, call);
    const place = await openPlace(`oci-layout://${layout}`, places, call.signal);
    return { image: await readImage({ ...place, name: 'the rebuilt image' }, platform, call.signal), notes };
  } catch (error) {
    if (!(error instanceof TbuildError) || call.signal.aborted) throw error;
    const text = await formatError(error, { debug: false, sourceOf: () => undefined });
    return { failure: { message: error.message, text }, notes };
  }
}

/** Returns what to build: what provenance says, with the given options on top. */
function specOf(
  image: ReadImage,
  { flags, env }: Call,
  { platform, isAsked, notes }: Pick<ReproduceOptions, 'platform' | 'isAsked'> & { readonly notes: string[] },
): BuildSpec {
  const recipe = readRecipe(image.statements);
  if (recipe === undefined && flags.context === undefined)
    throw new TbuildError('USAGE', `Image ${JSON.stringify(image.name)} has no provenance that says how it was built`, {
      hint: 'Give its source with --context, and its options such as --build-arg',
    });
  const given = {
    contexts: Object.fromEntries((flags['build-context'] ?? []).map(contextPair)),
    buildArgs: buildArgsOf(flags['build-arg'] ?? [], env),
  };
  const context = flags.context ?? recipe?.context;
  if (context === undefined)
    throw new TbuildError(
      'USAGE',
      `Image ${JSON.stringify(image.name)} was built from a directory, which provenance does not hold`,
      {
        hint: 'Give the same files with --context',
      },
    );
  requireLocals(recipe, given.contexts);
  requireSecrets(recipe, flags);
  if (recipe !== undefined && !recipe.hasArguments)
    notes.push('Provenance has mode=min: build arguments and labels are unknown unless they are given');
  const epoch = epochOf(image, { ...recipe?.buildArgs, ...given.buildArgs });
  return {
    context,
    dockerfile: flags.file ?? (flags.context === undefined ? recipe?.dockerfile : fileIn(flags.context, recipe)),
    target: flags.target ?? recipe?.target,
    platforms: isAsked || !samePlatform(platform, thisPlatform()) ? [formatPlatform(platform)] : [],
    contexts: { ...recipe?.contexts, ...given.contexts },
    buildArgs: { ...recipe?.buildArgs, ...given.buildArgs, ...epoch },
    labels: { ...recipe?.labels, ...Object.fromEntries((flags.label ?? []).map(splitPair)) },
    ssh: Object.fromEntries((flags.ssh ?? []).map(sshPair)),
    network: flags.network === undefined ? undefined : networkOf(flags.network),
    allow: flags.allow?.map(permissionOf),
  };
}

function contextPair(text: string): [name: string, source: string] {
  return requirePair(text, '--build-context', 'NAME=SOURCE');
}

/** The recorded path of the Dockerfile is one in the context. */
function fileIn(context: string, recipe: Recipe | undefined): string | undefined {
  if (recipe?.dockerfile === undefined || /^(?:https?|git|ssh):|^git@|^-$/.test(context)) return recipe?.dockerfile;
  return join(context, recipe.dockerfile);
}

function requireLocals(recipe: Recipe | undefined, given: Readonly<Record<string, string>>): void {
  const lacking = (recipe?.locals ?? []).filter((name) => !Object.hasOwn(given, name));
  if (lacking.length === 0) return;
  throw new TbuildError(
    'USAGE',
    `The build read ${lacking.map((name) => JSON.stringify(name)).join(', ')} from its own machine`,
    {
      hint: lacking.map((name) => `Give --build-context ${name}=SOURCE`).join('. '),
    },
  );
}

function requireSecrets(recipe: Recipe | undefined, { secret = [], ssh = [] }: Call['flags']): void {
  const given = {
    secret: new Set(secret.map((text) => parseFields(text, '--secret').id)),
    ssh: new Set(ssh.map((text) => splitPair(text)[0])),
  };
  const lacking = [
    ...(recipe?.secrets ?? [])
      .filter(({ id, optional }) => !optional && !given.secret.has(id))
      .map(({ id }) => `secret ${JSON.stringify(id)}`),
    ...(recipe?.ssh ?? [])
      .filter(({ id, optional }) => !optional && !given.ssh.has(id))
      .map(({ id }) => `agent ${JSON.stringify(id)}`),
  ];
  if (lacking.length === 0) return;
  throw new TbuildError('USAGE', `The build needs ${lacking.join(', ')}`, {
    hint: 'Give them with --secret id=ID,src=FILE and --ssh ID',
  });
}

/** The time that layers were rewritten to is the value of the argument. */
function epochOf(
  image: ReadImage,
  { SOURCE_DATE_EPOCH }: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const found = rewrittenTime(image);
  return SOURCE_DATE_EPOCH !== undefined || found === undefined ? {} : { SOURCE_DATE_EPOCH: found };
}

async function outputOf(
  image: ReadImage,
  spec: BuildSpec,
  { flags, signal, dest }: Call & { readonly dest: string },
): Promise<string> {
  const epoch = Number(spec.buildArgs?.SOURCE_DATE_EPOCH ?? Number.NaN);
  const found = Number.isNaN(epoch) ? rewrittenTime(image) !== undefined : await wasRewritten(image, epoch, signal);
  const rewrites = flags['rewrite-timestamp'] ?? found;
  return `type=oci,tar=false,compression=uncompressed,rewrite-timestamp=${rewrites},"dest=${dest.replaceAll('"', '""')}"`;
}

async function buildIn(root: string, spec: BuildSpec, { flags, env, signal }: Call): Promise<void> {
  makeStore(root, env);
  using _lease = acquireLease(storeLayout(root));
  const progress = createChannel();
  const shown = display(progress, env.stderr, { mode: 'plain', now: Date.now, color: false });
  // The environment of this run says nothing about that of the first build.
  const own = { ...env, variables: { ...env.variables, SOURCE_DATE_EPOCH: '' } };
  const request = buildRequest(spec, own, { host: thisPlatform(), root });
  const services = createServices(
    {
      root,
      loopbackPorts: loopbackProxyPorts([request]),
      registries: registryOptions(flags),
      isolation: flags.isolation === undefined ? undefined : isolationOf(flags.isolation),
      warn: (message, detail) => progress.emit({ type: 'warning', message, detail }),
    },
    env,
  );
  try {
    await runBuild(request, services, { progress, signal, readSecret: parseSecrets(flags.secret ?? [], env) });
  } finally {
    progress.close();
    await shown;
    await services.close();
  }
}
