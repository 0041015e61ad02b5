import { goTime, isRecord } from '@tbuild/oci';

/** A value of the configuration that differs. */
export interface ConfigDifference {
  /** Such as `config.Env[2]` or `history[3].created`. */
  readonly path: string;
  /** As JSON; undefined where there is no value. */
  readonly first?: string;
  readonly second?: string;
  /** Whether both values are times. */
  readonly isTime: boolean;
}

/**
 * Returns how two configurations differ. The list of layers is not part of it. Empty for documents that differ in their
 * form only.
 */
export function compareConfigs(first: Uint8Array, second: Uint8Array): readonly ConfigDifference[] {
  return differences('', withoutLayers(first), withoutLayers(second));
}

function withoutLayers(bytes: Uint8Array): unknown {
  const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
  if (!isRecord(value)) return value;
  const { rootfs: _, ...rest } = value;
  return rest;
}

function differences(path: string, first: unknown, second: unknown): readonly ConfigDifference[] {
  if (Array.isArray(first) && Array.isArray(second)) {
    const length = Math.max(first.length, second.length);
    return Array.from({ length }, (_, at) => differences(`${path}[${at}]`, first[at], second[at])).flat();
  }
  if (isRecord(first) && isRecord(second)) {
    const names = [...new Set([...Object.keys(first), ...Object.keys(second)])].toSorted();
    return names.flatMap((name) => differences(path === '' ? name : `${path}.${name}`, first[name], second[name]));
  }
  const [one, other] = [shown(first), shown(second)];
  if (one === other) return [];
  return [
    {
      path,
      ...(one === undefined ? {} : { first: one }),
      ...(other === undefined ? {} : { second: other }),
      isTime: isTime(first) && isTime(second),
    },
  ];
}

/** Go leaves out what is empty or writes null, which means the same. */
function shown(value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : JSON.stringify(value);
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && goTime(value) !== undefined;
}
