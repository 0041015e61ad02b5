import { TbuildError } from '@tbuild/errors';
import { isDigest, type Digest } from './digest.ts';
import { goFields } from './go-fields.ts';
import { isRecord } from './is-record.ts';
import { parseJson } from './parse-json.ts';
import type { Platform } from './platform.ts';
import { parseRuntimeConfig, type RuntimeConfig } from './runtime-config.ts';

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

const FIELDS = 'os architecture variant os.version os.features config rootfs history author created'.split(' ');
const HISTORY_FIELDS = ['created', 'created_by', 'author', 'comment', 'empty_layer'];

/**
 * Parses a configuration blob. Names of fields match without regard to case, as in Go.
 * @throws TbuildError REGISTRY if it is not the configuration of an image.
 */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const value: unknown = parseDocument(bytes);
  if (!isRecord(value)) throw invalid('it is not a JSON object');
  const document = goFields(value, FIELDS);
  const { os, architecture, variant, config, rootfs, history, author, created } = document;
  const diffIds = isRecord(rootfs) ? (goFields(rootfs, ['diff_ids']).diff_ids ?? []) : [];
  if (!Array.isArray(diffIds) || !diffIds.every((id): id is Digest => typeof id === 'string' && isDigest(id))) {
    throw invalid('its diff IDs are not SHA-256 digests');
  }
  const features = texts(document['os.features']);
  return {
    platform: {
      os: text(os) ?? 'linux',
      architecture: text(architecture) ?? '',
      ...(text(variant) ? { variant: text(variant) } : {}),
      ...(text(document['os.version']) ? { 'os.version': text(document['os.version']) } : {}),
      ...(features.length > 0 ? { 'os.features': features } : {}),
    },
    config: isRecord(config) ? parseRuntimeConfig(config, wrongType) : {},
    diffIds,
    history: Array.isArray(history) ? history.filter(isRecord).map(parseHistoryEntry) : [],
    ...(text(author) ? { author: text(author) } : {}),
    ...(text(created) ? { created: text(created) } : {}),
  };
}

function parseDocument(bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes);
  } catch (cause) {
    throw new TbuildError('REGISTRY', 'Image configuration is not valid JSON', { cause });
  }
}

function invalid(reason: string): TbuildError {
  return new TbuildError('REGISTRY', `Image configuration is not valid: ${reason}`);
}

function wrongType(field: string): TbuildError {
  return invalid(`its ${JSON.stringify(field)} is of another type than images have it`);
}

/** Keeps unknown fields of an entry. */
function parseHistoryEntry(entry: Record<string, unknown>): HistoryEntry {
  const named = goFields(entry, HISTORY_FIELDS);
  const fields = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== null));
  for (const name of ['created', 'created_by', 'author', 'comment'])
    if (fields[name] !== undefined && typeof fields[name] !== 'string') throw wrongType(`history.${name}`);
  if (fields.empty_layer !== undefined && typeof fields.empty_layer !== 'boolean')
    throw wrongType('history.empty_layer');
  return fields;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
