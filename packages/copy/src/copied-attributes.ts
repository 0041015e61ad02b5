import { type TreeEntry, typeOf } from '@tbuild/context';
import { lgetxattr, llistxattr } from '@tbuild/linux';
import { type Attributes, isOverlayAttribute } from '@tbuild/snapshot';
import type { CopyTarget, PlacementOptions } from './copy-options.ts';
import type { ImpliedAttributes } from './destination.ts';
import { compileModeChange } from './mode-change.ts';

/** Attributes of the entries that a copy writes. */
export interface AttributeRules {
  readonly implied: ImpliedAttributes;
  of(entry: TreeEntry): Attributes;
}

/**
 * Returns the attributes for a target.
 * @throws TbuildError DOCKERFILE_SEMANTICS for a malformed mode.
 */
export function attributeRules(target: CopyTarget, options: PlacementOptions): AttributeRules {
  const changeMode = compileModeChange(target.chmod);
  return {
    implied: impliedAttributes(target, options),
    of(entry) {
      const { mode, uid, gid } = entry.stats;
      const owner = options.owner ?? (target.keepOwner ? { uid, gid } : { uid: 0, gid: 0 });
      return {
        mode: typeOf(entry.stats) === 'symlink' ? 0o777 : changeMode(mode),
        ...owner,
        mtimeMs: entry.stats.mtimeMs,
        xattrs: target.keepOwner ? readXattrs(entry.location) : undefined,
      };
    },
  };
}

/**
 * Returns the attributes of implied directories. An octal mode applies to them too; a symbolic mode has nothing to
 * change.
 */
export function impliedAttributes({ chmod }: CopyTarget, { owner, now }: PlacementOptions): ImpliedAttributes {
  return { mode: typeof chmod === 'number' ? chmod : 0o755, owner, mtimeMs: now };
}

function readXattrs(location: string): ReadonlyMap<string, Uint8Array> | undefined {
  const names = llistxattr(location).filter((name) => !isOverlayAttribute(name));
  if (names.length === 0) return undefined;
  const values = new Map<string, Uint8Array>();
  for (const name of names) {
    const value = lgetxattr(location, name);
    if (value !== undefined) values.set(name, value);
  }
  return values;
}
