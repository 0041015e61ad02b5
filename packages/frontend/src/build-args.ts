import { expandWord, type Dockerfile, type KeyValue } from '@tbuild/dockerfile';
import { locate } from '@tbuild/errors';
import { formatPlatform, type Platform } from '@tbuild/oci';
import { emptyEnvironment, lookupIn, setVariable, variable, type Environment } from './environment.ts';

/** The inputs of the global scope. */
export interface GlobalScopeOptions {
  readonly platform: Platform;
  readonly buildPlatform: Platform;
  readonly target?: string;
  readonly buildArgs: Readonly<Record<string, string>>;
}

/**
 * Returns the variables of FROM lines: Docker's platform arguments, then the ARGs before the first FROM.
 * A build argument overrides either.
 * @throws TbuildError DOCKERFILE_SEMANTICS if a default cannot be expanded.
 */
export function globalScope(dockerfile: Dockerfile, options: GlobalScopeOptions): Environment {
  let scope = emptyEnvironment();
  for (const [name, value] of Object.entries(platformArgs(dockerfile, options))) {
    scope = setVariable(scope, name, buildArg(options.buildArgs, name) ?? value);
  }
  for (const { key, value } of dockerfile.globalArgs.flatMap((instruction) => instruction.args)) {
    const given = buildArg(options.buildArgs, key.text) ?? expandDefault(value, scope, dockerfile.directives.escape);
    if (given !== undefined) scope = setVariable(scope, key.text, given);
  }
  return scope;
}

/** Returns the value of a build argument from the user. */
export function buildArg(buildArgs: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(buildArgs, name) ? buildArgs[name] : undefined;
}

/** An ARG of a stage with its effective value: the build argument, its own default, or the global value. */
export interface DeclaredArg {
  readonly name: string;
  readonly value?: string;
}

/** The sources for the value of a stage's ARG. */
export interface ArgSources {
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly globalArgs: Environment;
  /** Expands the default. It is not called if there is a build argument. */
  readonly expand: (word: NonNullable<KeyValue['value']>) => string;
}

/** Resolves the argument that `ARG name[=default]` declares inside a stage. */
export function declareArg({ key, value }: KeyValue, sources: ArgSources): DeclaredArg {
  const given = buildArg(sources.buildArgs, key.text);
  if (given !== undefined) return { name: key.text, value: given };
  if (value !== undefined) return { name: key.text, value: sources.expand(value) };
  const inherited = variable(sources.globalArgs, key.text);
  return { name: key.text, ...(inherited === undefined ? {} : { value: inherited }) };
}

const PROXIES = ['http_proxy', 'https_proxy', 'ftp_proxy', 'no_proxy', 'all_proxy'] as const;

/** Returns `NAME=value` in upper and lower case for each non-empty proxy build argument. */
export function proxyEnv(buildArgs: Readonly<Record<string, string>>): string[] {
  const given = Object.entries(buildArgs).sort(([a], [b]) => (a < b ? -1 : 1));
  return PROXIES.flatMap((proxy) => {
    const value = given.findLast(([name]) => name.toLowerCase() === proxy)?.[1] ?? '';
    return value === '' ? [] : [`${proxy.toUpperCase()}=${value}`, `${proxy}=${value}`];
  });
}

function platformArgs(dockerfile: Dockerfile, options: GlobalScopeOptions): Record<string, string> {
  const { platform, buildPlatform } = options;
  const target = options.target ?? dockerfile.stages.at(-1)?.name;
  return {
    BUILDPLATFORM: formatPlatform(buildPlatform),
    BUILDOS: buildPlatform.os,
    BUILDOSVERSION: buildPlatform['os.version'] ?? '',
    BUILDARCH: buildPlatform.architecture,
    BUILDVARIANT: buildPlatform.variant ?? '',
    TARGETPLATFORM: formatPlatform(platform),
    TARGETOS: platform.os,
    TARGETOSVERSION: platform['os.version'] ?? '',
    TARGETARCH: platform.architecture,
    TARGETVARIANT: platform.variant ?? '',
    TARGETSTAGE: target === undefined || target === '' ? 'default' : target,
  };
}

function expandDefault(value: KeyValue['value'], scope: Environment, escape: '\\' | '`'): string | undefined {
  if (value === undefined) return undefined;
  try {
    return expandWord(value.text, lookupIn(scope), { escape });
  } catch (error) {
    throw locate(error, value.location);
  }
}
