import type { ImageEngine } from '@tbuild/engine';
import type { EngineKind } from '@tbuild/frontend';

/** The engines of the user. */
export interface Engines {
  /** Whether their images come before those of the store and of registries, as with Docker's own builder. */
  readonly comeFirst: boolean;
  /** Returns those on this machine that may have an image of this name, first choice first. Starts none of them. */
  local(name: string): Promise<readonly ImageEngine[]>;
  /** @throws TbuildError UNSUPPORTED, USAGE. */
  open(kind: EngineKind): Promise<ImageEngine>;
}
