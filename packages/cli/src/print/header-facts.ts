import type { BuildRequest, Services } from '@tbuild/builder';
import { familiarReference, formatPlatform, parseReference } from '@tbuild/oci';
import { timeBefore } from '../services/recorded-build.ts';
import type { DisplayOptions } from './open-display.ts';

export interface OpenedBuild {
  readonly name: string;
  readonly services: Pick<Services, 'store'>;
}

/** Returns what the header of the terminal display says about a build of one or several images. */
export function headerFacts(
  { name, services }: OpenedBuild,
  requests: readonly Pick<BuildRequest, 'tags' | 'platforms'>[],
): Pick<DisplayOptions, 'expected' | 'what'> {
  const [tag] = requests.flatMap(({ tags }) => tags);
  const named = tag === undefined ? name : familiarReference(parseReference(tag));
  const names = requests.length === 1 ? [named] : [name, `${requests.length} targets`];
  const platforms = [...new Set(requests.flatMap((request) => request.platforms).map(formatPlatform))].join(' ');
  return { expected: timeBefore(name, services), what: [...names.map((one) => `${one} ${platforms}`), ...names] };
}
