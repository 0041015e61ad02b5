import type { Place } from '../source.ts';

/** One entry of an attribute such as `output`: its settings by name. */
export type Entry = Readonly<Record<string, string | boolean | readonly string[]>>;

/** Values by name. Null means that the name is mentioned without a value. */
export type TextMap = Readonly<Record<string, string | null>>;

/** The attributes of a target, by the names that they have in a bake file. */
export interface TargetAttributes {
  readonly description?: string;
  readonly annotations?: readonly string[];
  readonly attest?: readonly Entry[];
  readonly context?: string;
  readonly contexts?: TextMap;
  readonly dockerfile?: string;
  readonly 'dockerfile-inline'?: string;
  readonly args?: TextMap;
  readonly labels?: TextMap;
  readonly tags?: readonly string[];
  readonly 'cache-from'?: readonly Entry[];
  readonly 'cache-to'?: readonly Entry[];
  readonly target?: string;
  readonly secret?: readonly Entry[];
  readonly ssh?: readonly Entry[];
  readonly platforms?: readonly string[];
  readonly output?: readonly Entry[];
  readonly pull?: boolean;
  readonly 'no-cache'?: boolean;
  readonly network?: string;
  readonly 'no-cache-filter'?: readonly string[];
  readonly 'shm-size'?: string;
  readonly ulimits?: readonly string[];
  readonly resources?: TextMap;
  readonly policy?: readonly string[];
  readonly call?: string;
  readonly entitlements?: readonly string[];
  readonly 'extra-hosts'?: TextMap;
}

export type AttributeName = keyof TargetAttributes;

/** A target as one or more files define it, before it inherits. */
export interface TargetBlock {
  readonly name: string;
  readonly inherits: readonly string[];
  readonly attributes: TargetAttributes;
  readonly place: Place;
  /** Where the names of other targets stand in it. */
  readonly mentions: ReadonlyMap<string, Place>;
}

export interface Group {
  readonly name: string;
  readonly description?: string;
  readonly targets: readonly string[];
  /** Where the names of the targets stand. */
  readonly mentions?: ReadonlyMap<string, Place>;
}

/** What the files define. */
export interface Definitions {
  readonly targets: readonly TargetBlock[];
  readonly groups: readonly Group[];
}

/** How an attribute is read, and how that of a child joins that of its parent. */
interface AttributeRule {
  readonly kind: 'text' | 'bool' | 'texts' | 'map' | 'entries';
  /** `replace`, the default; `append`; or the setting that tells entries apart. */
  readonly merge?: 'append' | { readonly by: string };
}

/** The attributes in the order of `--print`. */
export const RULES: Readonly<Record<AttributeName, AttributeRule>> = {
  description: { kind: 'text' },
  annotations: { kind: 'texts', merge: 'append' },
  attest: { kind: 'entries', merge: { by: 'type' } },
  context: { kind: 'text' },
  contexts: { kind: 'map' },
  dockerfile: { kind: 'text' },
  'dockerfile-inline': { kind: 'text' },
  args: { kind: 'map' },
  labels: { kind: 'map' },
  tags: { kind: 'texts' },
  'cache-from': { kind: 'entries', merge: 'append' },
  'cache-to': { kind: 'entries' },
  target: { kind: 'text' },
  secret: { kind: 'entries', merge: { by: 'id' } },
  ssh: { kind: 'entries', merge: { by: 'id' } },
  platforms: { kind: 'texts' },
  output: { kind: 'entries' },
  pull: { kind: 'bool' },
  'no-cache': { kind: 'bool' },
  network: { kind: 'text' },
  'no-cache-filter': { kind: 'texts', merge: 'append' },
  'shm-size': { kind: 'text' },
  ulimits: { kind: 'texts', merge: 'append' },
  resources: { kind: 'map' },
  policy: { kind: 'texts', merge: 'append' },
  call: { kind: 'text' },
  entitlements: { kind: 'texts', merge: 'append' },
  'extra-hosts': { kind: 'map' },
};

export const isAttribute = (name: string): name is AttributeName => Object.hasOwn(RULES, name);

/** Names of targets and groups have these characters. */
export const TARGET_NAME = /^[a-zA-Z0-9_-]+$/;

/** Returns the names of the targets that are contexts of a target. */
export function linksOf({ contexts }: TargetAttributes): string[] {
  return Object.values(contexts ?? {}).flatMap((context) =>
    context?.startsWith('target:') === true ? [context.slice('target:'.length)] : [],
  );
}
