import type { BakeWarning } from '../definition/read-blocks.ts';
import {
  linksOf,
  TARGET_NAME,
  type Definitions,
  type TargetAttributes,
  type TargetBlock,
} from '../definition/target.ts';
import { errorAt, type BakeFile } from '../source.ts';
import { BUILD_KEYS, EXTENSION_KEYS, extend, targetName, textOf } from './build-section.ts';
import type { Lookup } from './interpolate.ts';
import { isMapping } from './parse-compose.ts';
import { parseDotEnv } from './parse-dot-env.ts';
import { withProjectName } from './project-name.ts';
import { readSection, type ReadingService } from './read-section.ts';
import { readProject, type ComposeService } from './services.ts';

/** What compose files may see. */
export interface ReadOptions {
  /** `--var`. */
  readonly given: Readonly<Record<string, string>>;
  environment(name: string): string | undefined;
  /** Reads another file that a file names, or returns undefined. */
  readFile(path: string): BakeFile | undefined;
  warn(warning: BakeWarning): void;
}

/**
 * Reads the targets of compose files: each service with a `build` section is one, and `default` builds all.
 * @throws TbuildError BAKE_FILE, with the place
 */
export function readCompose(
  files: readonly BakeFile[],
  { given, environment, readFile, warn }: ReadOptions,
): Definitions {
  const dotEnv = readFile('.env');
  const values = dotEnv === undefined ? undefined : parseDotEnv(dotEnv, environment);
  const around: Lookup = (name) => given[name] ?? environment(name) ?? values?.get(name);
  const options = { readFile, lookup: withProjectName(files, around), warn };
  const project = readProject(files, options);
  const services = [...project.services].toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, service] of services) requireImage(name, service);
  const targets = services
    .filter(([, { definition }]) => isMapping(definition.build))
    .map(([name, found]) => readService(name, { found, project, options }));
  return { targets, groups: [{ name: 'default', targets: targets.map(({ name }) => name) }] };
}

function requireImage(name: string, { definition: { build, image }, find }: ComposeService): void {
  if ((build ?? undefined) !== undefined || textOf(image) !== undefined) return;
  throw errorAt(find([]).name, `The service ${JSON.stringify(name)} has neither an image nor a build section`);
}

function readService(service: string, around: ReadingService): TargetBlock {
  const { definition, find } = around.found;
  const name = targetName(service);
  if (!TARGET_NAME.test(name))
    throw errorAt(find([]).name, `The service ${JSON.stringify(service)} has a name that no target can have`);
  const build = isMapping(definition.build) ? definition.build : {};
  const { dockerfile, dockerfile_inline: inline } = build;
  if (textOf(dockerfile) !== undefined && textOf(inline) !== undefined)
    throw errorAt(find(['build', 'dockerfile_inline']).name, 'A build section has a dockerfile or a dockerfile_inline');
  const own = readSection(build, { ...around, path: ['build'], keys: BUILD_KEYS });
  const bake = build['x-bake'];
  const all = isMapping(bake)
    ? extend(own, readSection(bake, { ...around, path: ['build', 'x-bake'], keys: EXTENSION_KEYS }))
    : own;
  const image = textOf(definition.image);
  const attributes: TargetAttributes = {
    ...all,
    ...(all.tags === undefined && image !== undefined ? { tags: [image] } : {}),
    ...(all.ssh === undefined ? {} : { ssh: all.ssh.toSorted((a, b) => (String(a.id) < String(b.id) ? -1 : 1)) }),
  };
  const contexts = find(['build', 'additional_contexts']).value;
  const mentions = new Map(linksOf(attributes).map((link) => [link, contexts]));
  return { name, inherits: [], attributes, place: find([]).name, mentions };
}
