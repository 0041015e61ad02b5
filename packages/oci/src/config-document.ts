import { goMap, omitEmpty } from './go-json.ts';
import { goTime } from './go-time.ts';
import type { HistoryEntry } from './image-config.ts';
import type { Image } from './image.ts';
import type { HealthConfig, RuntimeConfig } from './runtime-config.ts';

/** The member of a configuration that holds an inline build cache. */
export const INLINE_CACHE_MEMBER = 'tbuild.cache.v1';

/**
 * Returns the configuration of an image as BuildKit encodes it. It writes its struct into a map to change some fields, so
 * the fields at the top are in alphabetical order, and no field that it does not know is left.
 */
export function configDocument({ platform, ...image }: Image): ReadonlyMap<string, unknown> {
  const { 'os.version': version, 'os.features': features, variant } = platform;
  const optional = omitEmpty({
    author: image.author,
    'os.version': version,
    'os.features': features,
    variant,
    [INLINE_CACHE_MEMBER]: image.inlineCache,
  });
  const history = image.history.map(historyStruct);
  const diffIds = image.layers.map((layer) => layer.diffId);
  return new Map<string, unknown>([
    ...Object.entries(optional),
    ['architecture', platform.architecture],
    ['config', configStruct(image.config)],
    ['created', timeOf(image.created) ?? null],
    ['history', nullIfEmpty(history)],
    ['os', platform.os],
    ['rootfs', { type: 'layers', diff_ids: nullIfEmpty(diffIds) }],
  ]);
}

/** Go encodes a slice that nothing was appended to as null. */
function nullIfEmpty<T>(list: readonly T[]): readonly T[] | null {
  return list.length === 0 ? null : list;
}

/** The order of `DockerOCIImageConfig`. */
function configStruct(config: RuntimeConfig): object {
  return omitEmpty({
    User: config.User,
    ExposedPorts: goMap(config.ExposedPorts ?? {}),
    Env: config.Env,
    Entrypoint: config.Entrypoint,
    Cmd: config.Cmd,
    Volumes: goMap(config.Volumes ?? {}),
    WorkingDir: config.WorkingDir,
    Labels: goMap(config.Labels ?? {}),
    StopSignal: config.StopSignal,
    ArgsEscaped: config.ArgsEscaped,
    Healthcheck: config.Healthcheck && healthStruct(config.Healthcheck),
    OnBuild: config.OnBuild,
    Shell: config.Shell,
  });
}

function healthStruct(health: HealthConfig): object {
  const { Test, Interval, Timeout, StartPeriod, StartInterval, Retries } = health;
  return omitEmpty({ Test, Interval, Timeout, StartPeriod, StartInterval, Retries });
}

function historyStruct({ created, created_by, author, comment, empty_layer }: HistoryEntry): object {
  return omitEmpty({ created: timeOf(created), created_by, author, comment, empty_layer });
}

/** A base image may have a time that Go could not have written. */
function timeOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : (goTime(text) ?? text);
}
