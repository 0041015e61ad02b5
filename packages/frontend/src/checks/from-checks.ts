import { expandWord, type Dockerfile, type Stage, type Word } from '@tbuild/dockerfile';
import { hasCode, type SourceRange } from '@tbuild/errors';
import { formatPlatform, parsePlatform, parseReference, type ImageConfig, type Platform } from '@tbuild/oci';
import { globalScope, type GlobalScopeOptions } from '../build-args.ts';
import { parseEngineName } from '../engine-name.ts';
import { lookupIn, variable, type Environment } from '../environment.ts';
import { formatQuoted } from '../go-format.ts';
import { suggestion, type Report } from './checks.ts';

/** The inputs of the checks of FROM lines. */
export interface FromCheckOptions extends GlobalScopeOptions {
  readonly globalArgs: Environment;
}

/** Runs Docker's checks of the FROM lines of all stages. Expansion failures are reported elsewhere. */
export function checkFroms(dockerfile: Dockerfile, options: FromCheckOptions, report: Report): void {
  const declared = dockerfile.globalArgs.flatMap(({ args }) => args.map(({ key }) => key.text));
  const names = new Set([...declared, ...options.globalArgs.byLast().map(([name]) => name)]);
  for (const { stage, use } of usesOf(dockerfile, options.globalArgs)) {
    for (const name of use.unset.filter((unset) => !names.has(unset))) {
      const message = `FROM argument '${name}' is not declared${suggestion(name, names)}`;
      report('UndefinedArgInFrom', message, { instruction: stage.from, token: use.place });
    }
  }
  for (const stage of dockerfile.stages) checkPlatform(stage, dockerfile, { ...options, report });
  checkDefaults(dockerfile, options, report);
}

/** Checks a base image against the requested platform. */
export function checkBasePlatform(
  { from }: Stage,
  image: { readonly name: string; readonly config: ImageConfig; readonly wanted: Platform },
  report: Report,
): void {
  const { name, config, wanted } = image;
  const { os, architecture } = config.platform;
  if (os === wanted.os && architecture === wanted.architecture) return;
  const [actual, expected] = [config.platform, wanted].map(formatPlatform);
  const message = `Base image ${name} was pulled with platform "${actual}", expected "${expected}" for current build`;
  report('InvalidBaseImagePlatform', message, { instruction: from, token: from.image.location });
}

interface Use {
  readonly place: SourceRange;
  readonly value: string;
  readonly set: readonly string[];
  readonly unset: readonly string[];
}

function usesOf(dockerfile: Dockerfile, scope: Environment): { stage: Stage; use: Use }[] {
  return dockerfile.stages.flatMap((stage) =>
    [stage.from.image, stage.from.platform].flatMap((word) => {
      const use = word === undefined ? undefined : expandTracked(word, scope, dockerfile.directives.escape);
      return use === undefined ? [] : [{ stage, use }];
    }),
  );
}

function checkPlatform(
  { from, name = '' }: Stage,
  { directives }: Dockerfile,
  { globalArgs, buildPlatform, report }: FromCheckOptions & { readonly report: Report },
): void {
  const word = from.platform;
  const use = word === undefined ? undefined : expandTracked(word, globalArgs, directives.escape);
  if (word === undefined || use === undefined) return;
  const { value, set, unset } = use;
  const isTarget = set.length === 1 && set[0] === 'TARGETPLATFORM' && unset.length === 0;
  if (isTarget && value === variable(globalArgs, 'TARGETPLATFORM')) {
    const message = `Setting platform to predefined ${word.text} in FROM is redundant as this is the default behavior`;
    report('RedundantTargetPlatform', message, { instruction: from, token: word.location });
  }
  const platform = set.length + unset.length > 0 ? undefined : tryParse(() => parsePlatform(value, buildPlatform));
  if (platform === undefined || name.includes(platform.os) || name.includes(platform.architecture)) return;
  const message = `FROM --platform flag should not use constant value ${formatQuoted(value)}`;
  report('FromPlatformFlagConstDisallowed', message, { instruction: from, token: word.location });
}

/** Returns the base names without the user's build arguments. */
function checkDefaults(dockerfile: Dockerfile, options: FromCheckOptions, report: Report): void {
  const scope = tryParse(() => globalScope(dockerfile, { ...options, buildArgs: {} }), 'DOCKERFILE_SEMANTICS');
  if (scope === undefined) return;
  for (const { from } of dockerfile.stages) {
    const use = expandTracked(from.image, scope, dockerfile.directives.escape);
    if (use === undefined) return;
    if (tryParse(() => parseEngineName(use.value) ?? parseReference(use.value)) !== undefined) continue;
    const message = `Default value for ARG ${from.image.text} results in empty or invalid base image name`;
    report('InvalidDefaultArgInFrom', message, { instruction: from, token: from.image.location });
  }
}

function expandTracked(word: Word, scope: Environment, escape: '\\' | '`'): Use | undefined {
  const used = { set: new Set<string>(), unset: new Set<string>() };
  const lookup = lookupIn(scope);
  const tracked = (name: string): string | undefined => {
    const value = lookup(name);
    (value === undefined ? used.unset : used.set).add(name);
    return value;
  };
  const value = tryParse(() => expandWord(word.text, tracked, { escape }), 'DOCKERFILE_SEMANTICS');
  return value === undefined ? undefined : { place: word.location, value, set: [...used.set], unset: [...used.unset] };
}

function tryParse<T>(parse: () => T, code: 'USAGE' | 'DOCKERFILE_SEMANTICS' = 'USAGE'): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (hasCode(error, code)) return undefined;
    throw error;
  }
}
