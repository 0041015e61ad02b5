import { readFileSync } from 'node:fs';
import { readControllers } from './control-files.ts';

/** A mounted hierarchy of control groups. */
export interface Hierarchy {
  readonly version: 1 | 2;
  /** Its controllers, e.g. `memory`. */
  readonly controllers: readonly string[];
  readonly mountPoint: string;
  /** The directory of this process's own group. */
  readonly own: string;
}

/** Returns the hierarchies that this process sees, cgroup v1 first. A controller belongs to one hierarchy only. */
export function readHierarchies(): readonly Hierarchy[] {
  const texts = {
    mountinfo: readFileSync('/proc/self/mountinfo', 'utf8'),
    cgroup: readFileSync('/proc/self/cgroup', 'utf8'),
  };
  return parseHierarchies(texts, readControllers);
}

/**
 * The same as {@link readHierarchies} for the given texts of /proc/self. `controllersOf` returns the controllers of a
 * cgroup v2 directory.
 */
export function parseHierarchies(
  { mountinfo, cgroup }: { readonly mountinfo: string; readonly cgroup: string },
  controllersOf: (directory: string) => readonly string[],
): readonly Hierarchy[] {
  const groups = cgroup.split('\n').map((line) => {
    const [, names, path = ''] = /^\d+:(.*?):(\/.*)$/.exec(line) ?? [];
    return { names, path };
  });
  const found = mountinfo.split('\n').flatMap((line): Hierarchy[] => {
    const match = MOUNT.exec(line)?.groups;
    if (match === undefined) return [];
    const { root = '', target = '', type, options = '' } = match;
    const mountPoint = unescape(target);
    const version = type === 'cgroup2' ? 2 : 1;
    const group = groups.find(({ names = '' }) =>
      version === 2
        ? names === ''
        : names !== '' && names.split(',').every((name) => options.split(',').includes(name)),
    );
    if (group === undefined) return [];
    const { names = '', path = '/' } = group;
    return [
      {
        version,
        mountPoint,
        own: `${mountPoint}${below(unescape(root), path)}`,
        controllers: version === 2 ? controllersOf(mountPoint) : names.split(','),
      },
    ];
  });
  return found.toSorted((a, b) => a.version - b.version);
}

/** A line of /proc/self/mountinfo: root, mount point, any number of fields up to a dash, type, source, options. */
const MOUNT = /^\d+ \d+ \S+ (?<root>\S+) (?<target>\S+) .* - (?<type>cgroup2?) \S+ (?<options>\S+)$/;

function unescape(field: string): string {
  return field.replace(/\\(\d{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** Returns a group's path relative to the mounted group; empty if it lies elsewhere, out of sight. */
function below(root: string, path: string): string {
  const prefix = root === '/' ? '' : root;
  const isInside = path !== '/' && path.startsWith(`${prefix}/`) && !path.split('/').includes('..');
  return isInside ? path.slice(prefix.length) : '';
}
