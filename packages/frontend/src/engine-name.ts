import type { EngineKind } from './plan.ts';

/** An image that the user looks for in an engine. */
export interface EngineName {
  readonly engine: EngineKind;
  /** Its name or ID there. */
  readonly reference: string;
}

/** Reads `docker-daemon://NAME` and `containers-storage://NAME`, also without slashes as skopeo writes them. */
export function parseEngineName(text: string): EngineName | undefined {
  const [, engine, reference] = /^(docker-daemon|containers-storage):(?:\/\/)?(.+)$/.exec(text) ?? [];
  if (reference === undefined) return undefined;
  return { engine: engine === 'docker-daemon' ? engine : 'containers-storage', reference };
}
