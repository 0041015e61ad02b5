import type { listBuildTargets } from '@tbuild/builder';
import { columns } from './columns.ts';
import { base64, protoLocation } from './proto-location.ts';

type TargetsReport = Awaited<ReturnType<typeof listBuildTargets>>;

/** Returns what `--call=targets` prints for people. */
export function targetsText({ targets }: TargetsReport): string {
  const rows = targets.map(({ name = '', default: isDefault, description = '' }) => [
    isDefault ? `${name} (default)`.trimStart() : name,
    description,
  ]);
  return columns([['TARGET', 'DESCRIPTION'], ...rows], 1);
}

/** Returns BuildKit's JSON, which omits empty lists. */
export function targetsJson({ targets, source }: TargetsReport): object {
  return {
    targets: targets.map(({ name, default: isDefault, description, base, platform, location }) => ({
      ...(name === undefined ? {} : { name }),
      ...(isDefault ? { default: true } : {}),
      ...(description === undefined ? {} : { description }),
      base,
      ...(platform === undefined ? {} : { platform }),
      location: protoLocation(location),
    })),
    sources: [base64(source.text)],
  };
}
