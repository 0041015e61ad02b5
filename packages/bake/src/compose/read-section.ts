import { suggest } from '@tbuild/errors';
import { near, type BakeWarning } from '../definition/read-blocks.ts';
import type { Entry, TargetAttributes } from '../definition/target.ts';
import { errorAt, placed, rangeOf } from '../source.ts';
import { EXTENSION_KEYS, type BUILD_KEYS } from './build-section.ts';
import { openEnvironment } from './environment.ts';
import type { Mapping } from './parse-compose.ts';
import type { ComposeOptions, ComposeProject, ComposeService } from './services.ts';

/** A service whose sections are read. */
export interface ReadingService {
  readonly found: ComposeService;
  readonly project: Pick<ComposeProject, 'secrets'>;
  readonly options: ComposeOptions & {
    warn(warning: BakeWarning): void;
  };
}

interface ReadingSection extends ReadingService {
  readonly path: readonly string[];
  /** The attributes that the section has. */
  readonly keys: typeof BUILD_KEYS;
}

/**
 * Reads the attributes of a section.
 * @throws TbuildError BAKE_FILE, with the place
 */
export function readSection(section: Mapping, reading: ReadingSection): TargetAttributes {
  const { found, project, options, path, keys } = reading;
  const { lookup } = openEnvironment(found, options);
  const attributes: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(section)) {
    const at = [...path, key];
    const known = Object.hasOwn(keys, key) ? keys[key] : undefined;
    if (known === undefined) withoutEffect(key, reading);
    if (known === undefined || value === null) continue;
    const scope = {
      lookup,
      secrets: project.secrets,
      within: <T>(item: string, work: () => T): T => placed(found.find([...at, item]).value, work),
    };
    const read = placed(found.find(at).value, () => known.read(value, scope));
    if (read !== undefined) attributes[known.attribute] = joined(attributes[known.attribute], read);
  }
  return attributes;
}

/** Two attributes of a section may give one of a target. */
function joined(before: unknown, read: unknown): unknown {
  return Array.isArray(before) ? [...(before as Entry[]), ...(read as Entry[])] : read;
}

/** A build section has no other attributes. What `x-bake` does not know is ignored. */
function withoutEffect(key: string, { path, keys, found, options }: ReadingSection): void {
  if (key.startsWith('x-')) return;
  const names = Object.keys(keys);
  const { name: place } = found.find([...path, key]);
  if (names.includes(key)) {
    const message = `The attribute ${JSON.stringify(key)} of a build section has no effect in a bake`;
    options.warn({ message, location: rangeOf(place) });
  } else if (keys === EXTENSION_KEYS) {
    options.warn({
      message: `x-bake has no attribute ${JSON.stringify(key)}; it is ignored`,
      ...near(key, names, place),
    });
  } else {
    const other = suggest(key, names);
    const hint = other === undefined ? `It has ${names.join(', ')}` : `Did you mean ${JSON.stringify(other)}?`;
    throw errorAt(place, `A build section has no attribute ${JSON.stringify(key)}`, hint);
  }
}
