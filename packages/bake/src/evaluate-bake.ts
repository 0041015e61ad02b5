import { posix } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { goBool } from '@tbuild/oci';
import { openModule, type Module } from './definition/module.ts';
import { readOverrides } from './definition/overrides.ts';
import { readBlocks, type BakeWarning } from './definition/read-blocks.ts';
import { isRemote, joinBlocks, resolve, type Resolved } from './definition/resolve.ts';
import type { Definitions, TargetBlock } from './definition/target.ts';
import type { BakeVariable } from './definition/variable.ts';
import type { FunctionEnvironment } from './functions/function.ts';
import { standardFunctions } from './functions/index.ts';
import type { Body } from './hcl/ast.ts';
import type { HclParser } from './hcl/parse-hcl.ts';
import { hasTemplates, parseJsonBody } from './json/json-body.ts';
import type { BakeFile } from './source.ts';

/** What a bake depends on. */
export interface BakeInput {
  /** In order: later files add to earlier ones. */
  readonly files: readonly BakeFile[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `--var`. */
  readonly variables: Readonly<Record<string, string>>;
  /** The platform of this machine, such as `linux/amd64`. */
  readonly platform: string;
  /** Milliseconds since the epoch. */
  now(): number;
  /** The URL that the files come from. */
  readonly remote?: string;
  /** Reads another file that a compose file names. */
  readFile?(path: string): BakeFile | undefined;
}

/** The evaluated files of a bake. */
export interface BakeFiles {
  readonly definitions: Definitions;
  readonly variables: readonly BakeVariable[];
  readonly warnings: readonly BakeWarning[];
  /**
   * Resolves targets and groups by name. `overrides` are values of `--set`.
   * @throws TbuildError BAKE_FILE
   */
  resolve(names: readonly string[], overrides: readonly string[]): Resolved;
}

/** The largest file that is read. */
const LARGEST = 4 * 1024 * 1024;

/**
 * Evaluates bake files and compose files.
 * @throws TbuildError BAKE_FILE, with the place where it is known.
 */
export async function evaluateBake(input: BakeInput): Promise<BakeFiles> {
  for (const { name, text } of input.files) {
    if (text.length > LARGEST)
      throw new TbuildError(
        'BAKE_FILE',
        `The file ${JSON.stringify(name)} is larger than ${LARGEST / 1024 / 1024} MiB`,
      );
  }
  try {
    const [environment, variables] = [withoutPrototype(input.environment), withoutPrototype(input.variables)];
    return await evaluate({ ...input, environment, variables });
  } catch (error) {
    if (!(error instanceof RangeError) || !error.message.includes('call stack')) throw error;
    throw new TbuildError('BAKE_FILE', 'An expression of the files is nested too deeply', { cause: error });
  }
}

async function evaluate(input: BakeInput): Promise<BakeFiles> {
  const warnings: BakeWarning[] = [];
  const { composeFiles, bodies } = await parseFiles(input.files);
  const warn = (warning: BakeWarning): void => void warnings.push(warning);
  const compose = composeFiles.length === 0 ? NOTHING : await composeDefinitions(composeFiles, input, warn);
  const bcrypt = input.files.some(({ text }) => text.includes('bcrypt')) ? await import('bcryptjs') : undefined;
  const module = openModule(bodies, moduleOptions(input, bcrypt));
  // All variables come first, so that no `try` hides what their validation says.
  const variables = module.variables();
  const own = readBlocks(module, warn);
  const isRelative = goBool(input.environment.BUILDX_BAKE_FILE_RELATIVE_PATHS) === true;
  const composeDirectory = posix.dirname(composeFiles[0]?.name ?? '.');
  const definitions = joinBlocks({
    targets: [
      ...(isRelative ? compose.targets.map((target) => rebase(target, composeDirectory)) : compose.targets),
      ...(isRelative ? relativeToFiles(own, module) : own).targets,
    ],
    groups: [...compose.groups, ...own.groups],
  });
  return {
    definitions,
    variables,
    warnings,
    resolve: (names, overrides) =>
      resolve(definitions, {
        names: names.length === 0 ? ['default'] : names.map((name) => name.replaceAll('.', '_')),
        overrides: readOverrides(overrides, definitions.targets, (name) => input.environment[name]),
        epoch: input.environment.SOURCE_DATE_EPOCH,
        remote: input.remote,
      }),
  };
}

/** Returns values by names in which `constructor` is no more than a name. */
function withoutPrototype<T>(values: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.assign(Object.create(null), values);
}

const NOTHING: Definitions = { targets: [], groups: [] };

/** Loads the parser of YAML only for compose files. */
async function composeDefinitions(
  files: readonly BakeFile[],
  input: BakeInput,
  warn: (warning: BakeWarning) => void,
): Promise<Definitions> {
  const { readCompose } = await import('./compose/read-compose.ts');
  return readCompose(files, {
    given: input.variables,
    environment: environmentOf(input),
    readFile: (path) => input.readFile?.(path),
    warn,
  });
}

/** Returns what looks a variable up in the environment, if files may see it. */
function environmentOf({ environment }: BakeInput): (name: string) => string | undefined {
  const isOff = goBool(environment.BUILDX_BAKE_DISABLE_VARS_ENV_LOOKUP) === true;
  return (name) => (isOff ? undefined : environment[name]);
}

function moduleOptions(input: BakeInput, bcrypt: FunctionEnvironment['bcrypt']): Parameters<typeof openModule>[1] {
  const { environment, variables, platform, now, remote } = input;
  return {
    functions: standardFunctions({ now, home: environment.HOME, bcrypt }),
    sources: {
      given: variables,
      environment: environmentOf(input),
      builtin: withoutPrototype({ BAKE_CMD_CONTEXT: remote ?? 'cwd://', BAKE_LOCAL_PLATFORM: platform }),
    },
  };
}

interface ParsedFiles {
  readonly composeFiles: readonly BakeFile[];
  readonly bodies: readonly Body[];
}

/** The end of a file's name tells its language. Without one that is known, its text does. */
async function parseFiles(files: readonly BakeFile[]): Promise<ParsedFiles> {
  const composeFiles = files.filter(isCompose);
  const bodies: Body[] = [];
  const needsParser = files.some((file) => !isCompose(file) && (!isJson(file) || hasTemplates(file.text)));
  const parser: HclParser | undefined = needsParser
    ? await (await import('./hcl/parse-hcl.ts')).openHclParser()
    : undefined;
  for (const file of files.filter((one) => !isCompose(one))) {
    if (isJson(file)) bodies.push(parseJsonBody(file, parser));
    else if (parser !== undefined) bodies.push(parser.parse(file));
  }
  return { composeFiles, bodies };
}

function isCompose({ name, text }: BakeFile): boolean {
  if (/\.ya?ml$/i.test(name)) return true;
  if (/\.(hcl|json)$/i.test(name)) return false;
  return /^["']?services["']?\s*:/m.test(text) && !text.trimStart().startsWith('{');
}

function isJson({ name, text }: BakeFile): boolean {
  if (/\.json$/i.test(name)) return true;
  return !/\.hcl$/i.test(name) && text.trimStart().startsWith('{');
}

/** Makes the contexts of each block relative to its file. */
function relativeToFiles({ targets, groups }: Definitions, module: Module): Definitions {
  const files = module
    .blocks('target')
    .map(({ labels, place }) => ({ label: labels[0], directory: posix.dirname(place.file.name) }));
  const directoryOf = (name: string): string =>
    files.find(({ label }) => label === name)?.directory ?? files[0]?.directory ?? '.';
  return { groups, targets: targets.map((target) => rebase(target, directoryOf(target.name))) };
}

function rebase({ attributes, ...target }: TargetBlock, directory: string): TargetBlock {
  const move = (path: string): string => (isRemote(path) ? path : posix.join(directory, path));
  const isRoot = target.inherits.length === 0;
  const context = attributes.context ?? (isRoot ? '.' : undefined);
  const contexts = Object.entries(attributes.contexts ?? {}).map(([name, path]) => [
    name,
    path === null ? null : move(path),
  ]);
  return {
    ...target,
    attributes: {
      ...attributes,
      ...(context === undefined ? {} : { context: move(context) }),
      ...(contexts.length === 0 ? {} : { contexts: Object.fromEntries(contexts) }),
    },
  };
}
