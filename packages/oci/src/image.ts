import type { Layer } from './descriptor.ts';
import type { HistoryEntry } from './image-config.ts';
import type { Platform } from './platform.ts';
import type { RuntimeConfig } from './runtime-config.ts';

/** A finished image as a value. */
export interface Image {
  readonly platform: Platform;
  readonly config: RuntimeConfig;
  readonly layers: readonly Layer[];
  readonly history: readonly HistoryEntry[];
  readonly author?: string;
  /** RFC 3339. */
  readonly created?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** An encoded build cache that the configuration carries. */
  readonly inlineCache?: string;
  /** An existing configuration document, which is kept byte for byte. */
  readonly document?: Uint8Array;
}
