import { TbuildError } from '@tbuild/errors';
import { isDigest, type Digest } from './digest.ts';
import type { Platform } from './platform.ts';

/** Durations are nanoseconds, as Docker writes them. */
export interface HealthConfig {
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

/** The `config` object of an image ("OCI Image Configuration"), with Docker's additions. */
export interface RuntimeConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  readonly ArgsEscaped?: boolean;
  readonly OnBuild?: readonly string[];
  readonly Shell?: readonly string[];
  readonly Healthcheck?: HealthConfig;
}

export interface HistoryEntry {
  /** RFC 3339. */
  readonly created?: string;
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}

/** The whole configuration document of an image. */
export interface ImageConfig {
  readonly platform: Platform;
  readonly config: RuntimeConfig;
  readonly diffIds: readonly Digest[];
  readonly history: readonly HistoryEntry[];
  readonly author?: string;
  readonly created?: string;
}

/**
 * Reads a configuration blob.
 * @throws TbuildError REGISTRY when it is not an image's.
 */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const document: unknown = parseJson(bytes);
  if (!isRecord(document)) throw invalid('it is not a JSON object');
  const { os, architecture, variant, config, rootfs, history, author, created } = document;
  const diffIds = isRecord(rootfs) ? (rootfs.diff_ids ?? []) : [];
  if (!Array.isArray(diffIds) || !diffIds.every((id): id is Digest => typeof id === 'string' && isDigest(id))) {
    throw invalid('its diff IDs are not SHA-256 digests');
  }
  return {
    platform: {
      os: text(os) ?? 'linux',
      architecture: text(architecture) ?? '',
      ...(text(variant) ? { variant: text(variant) } : {}),
      ...(text(document['os.version']) ? { 'os.version': text(document['os.version']) } : {}),
    },
    config: isRecord(config) ? withoutNulls(config) : {},
    diffIds,
    history: Array.isArray(history) ? history.filter(isRecord) : [],
    ...(text(author) ? { author: text(author) } : {}),
    ...(text(created) ? { created: text(created) } : {}),
  };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new TbuildError('REGISTRY', 'Image configuration is not valid JSON', { cause });
  }
}

function invalid(reason: string): TbuildError {
  return new TbuildError('REGISTRY', `Image configuration is not valid: ${reason}`);
}

function withoutNulls(record: Record<string, unknown>): RuntimeConfig {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null));
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
