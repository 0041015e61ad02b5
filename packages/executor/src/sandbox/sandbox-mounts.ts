import type { Mount } from '@tbuild/snapshot';
import { groupBinds, type VisibleGroup } from '../cgroup/group-view.ts';
import type { Sandbox, SandboxMount } from '../executor.ts';
import type { MountFeatures } from '../machine/tools.ts';
import type { MountEntry } from '../namespace/fstab.ts';
import { splitLongLowers } from './overlay-options.ts';

/** One action of the set-up: a mount, or the creation of an empty mount point inside an earlier mount. */
export type SetupStep = MountEntry | MakeMountPoint;

export interface MakeMountPoint {
  readonly make: 'file' | 'directory';
  /** The mount that contains it. No element below that may be a symbolic link. */
  readonly within: string;
  readonly path: string;
}

/** Where the parts of a sandbox are, and what this machine can do. */
export interface SandboxLayout {
  /** An empty directory on which the tree is mounted before it is moved onto `/`. */
  readonly root: string;
  /** The directory that becomes /dev: links, directories for pts, shm and mqueue, devices. */
  readonly devices: string;
  /** The names of devices that are empty files there; the machine's own are bound onto them. */
  readonly boundDevices: readonly string[];
  /** Whether mounts other than /dev need `nodev`. */
  readonly needsNodev: boolean;
  /** A directory that contains an empty directory for each named control group. */
  readonly groupDirectory: string;
  readonly groups: readonly VisibleGroup[];
  /** The paths in /proc and /sys of this kernel that may be covered, and their kinds. */
  readonly kernelPaths: ReadonlyMap<string, 'file' | 'directory'>;
  /** `user` inside a user namespace, where the kernel refuses a new sysfs. */
  readonly flavour: 'trusted' | 'user';
  readonly features: MountFeatures;
  /** Whether to mount a new /proc or to bind the existing one. */
  readonly proc: 'fresh' | 'own';
  /** Whether terminals can belong to group 5, which a user namespace with a single id lacks. */
  readonly setsGroups: boolean;
}

/** A mount whose target is resolved inside the tree. */
export interface PlacedMount {
  readonly mount: SandboxMount;
  /** The path below the root, without a leading slash and free of symbolic links. */
  readonly target: string;
  readonly kind: 'file' | 'directory';
  /** The target of the earlier mount in which this mount point must be created. */
  readonly within?: string;
}

/** What Docker hides from containers because it reveals or changes the host. */
export const MASKED_PATHS = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
] as const;

export const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'] as const;

/** Returns everything to mount for a sandbox, in order. The last entry moves the finished tree onto `/`. */
export function sandboxMounts(
  sandbox: Sandbox,
  points: {
    readonly mounts: readonly PlacedMount[];
    readonly cwd?: { readonly target: string; readonly within: string };
  },
  layout: SandboxLayout,
): readonly SetupStep[] {
  const confined = sandbox.security === 'sandbox';
  return [
    treeEntry(sandbox.root.mount, layout.root, layout),
    ...kernelEntries(sandbox, layout),
    ...groupEntries(layout),
    ...(confined ? [...maskedEntries(layout), ...readonlyEntries(layout)] : []),
    ...points.mounts.flatMap((mount) => placedEntries(mount, layout)),
    ...(points.cwd === undefined ? [] : [makeStep('directory', points.cwd, layout)]),
    // `//` because mount(8) skips an entry for `/`.
    { source: layout.root, target: '//', type: 'none', options: ['move'] },
  ];
}

/** Returns the entry for the mount of a snapshot: an overlay, or a bind of a plain directory. */
function treeEntry(mount: Mount, target: string, layout: SandboxLayout): MountEntry {
  const { features } = layout;
  const { type, source, directory } = mount;
  if (type === 'bind')
    return {
      source,
      target,
      type: 'none',
      options: ['bind', ...mount.options.filter((option) => option !== 'bind'), ...deviceOptions(layout)],
      directory,
    };
  const options = features.appendLowers ? splitLongLowers(mount.options) : mount.options;
  return { source: 'overlay', target, type, options: [...options, ...deviceOptions(layout)], directory };
}

function kernelEntries(
  { shmSize = 65_536 * 1024 }: Sandbox,
  { root, devices, boundDevices, flavour, features, proc, setsGroups }: SandboxLayout,
): MountEntry[] {
  const dev = `${root}/dev`;
  const guarded = ['nosuid', 'nodev', 'noexec'];
  return [
    proc === 'fresh'
      ? { source: 'proc', target: `${root}/proc`, type: 'proc', options: guarded }
      : { source: '/proc', target: `${root}/proc`, type: 'none', options: ['rbind', ...guarded] },
    // The network namespace is the host's, so a user namespace may not mount sysfs; bind the host's instead.
    flavour === 'user'
      ? {
          source: '/sys',
          target: `${root}/sys`,
          type: 'none',
          options: ['rbind', readonlyOption(features), ...guarded],
        }
      : { source: 'sysfs', target: `${root}/sys`, type: 'sysfs', options: [...guarded, 'ro'] },
    // A prepared directory needs no process to fill it, unlike a tmpfs. The file system below may have nodev,
    // which only real root may clear.
    {
      source: devices,
      target: dev,
      type: 'none',
      options: ['bind', boundDevices.length === 0 ? 'dev' : 'nodev', 'nosuid', 'noexec'],
    },
    {
      source: 'devpts',
      target: `${dev}/pts`,
      type: 'devpts',
      options: ['newinstance', 'ptmxmode=0666', 'mode=0620', ...(setsGroups ? ['gid=5'] : []), 'nosuid', 'noexec'],
    },
    {
      source: 'shm',
      target: `${dev}/shm`,
      type: 'tmpfs',
      options: [...guarded, 'mode=1777', `size=${Math.ceil(shmSize / 1024)}k`],
    },
    { source: 'mqueue', target: `${dev}/mqueue`, type: 'mqueue', options: guarded },
    // Read-only, so that root cannot change the mode and owner of the machine's devices. Writing to a device
    // still works.
    ...boundDevices.map((name) => bindEntry(`/dev/${name}`, `${dev}/${name}`, 'ro')),
  ];
}

function groupEntries({ root, groupDirectory, groups }: SandboxLayout): MountEntry[] {
  return groupBinds(groupDirectory, groups).map(({ source, target }) =>
    bindEntry(source, root + target, 'ro', 'nosuid', 'nodev', 'noexec'),
  );
}

function maskedEntries({ root, kernelPaths }: SandboxLayout): MountEntry[] {
  return MASKED_PATHS.flatMap((path) => {
    const kind = kernelPaths.get(path);
    if (kind === undefined) return [];
    if (kind === 'file') return [bindEntry('/dev/null', root + path, 'ro')];
    return [{ source: 'tmpfs', target: root + path, type: 'tmpfs', options: ['ro', 'size=0'] }];
  });
}

function readonlyEntries({ root, kernelPaths }: SandboxLayout): MountEntry[] {
  return READONLY_PATHS.flatMap((path) => (kernelPaths.has(path) ? [bindEntry(root + path, root + path, 'ro')] : []));
}

function placedEntries({ mount, target, kind, within }: PlacedMount, layout: SandboxLayout): SetupStep[] {
  const entry = mountEntry(mount, kind, { path: `${layout.root}/${target}`, layout });
  return within === undefined ? [entry] : [makeStep(kind, { target, within }, layout), entry];
}

function makeStep(
  make: 'file' | 'directory',
  point: { target: string; within: string },
  { root }: SandboxLayout,
): MakeMountPoint {
  return { make, within: `${root}/${point.within}`, path: `${root}/${point.target}` };
}

function mountEntry(
  mount: SandboxMount,
  kind: 'file' | 'directory',
  { path, layout }: { path: string; layout: SandboxLayout },
): MountEntry {
  switch (mount.type) {
    case 'bind':
      if (kind === 'file')
        return bindEntry(
          mount.source,
          path,
          ...(mount.readonly ? ['ro'] : []),
          ...(mount.isDevice === true ? [] : deviceOptions(layout)),
        );
      return {
        source: mount.source,
        target: path,
        type: 'none',
        options: ['rbind', ...(mount.readonly ? [readonlyOption(layout.features)] : []), ...deviceOptions(layout)],
      };
    case 'overlay':
      return treeEntry(mount.mount, path, layout);
    case 'tmpfs':
      return {
        source: 'tmpfs',
        target: path,
        type: 'tmpfs',
        options: [...tmpfsOptions(mount), ...deviceOptions(layout)],
      };
  }
}

function tmpfsOptions(mount: { readonly size?: number; readonly mode?: number }): string[] {
  const size = mount.size === undefined ? [] : [`size=${mount.size}`];
  return ['nosuid', ...size, `mode=${(mount.mode ?? 0o1777).toString(8)}`];
}

/** Returns options for mounts with files from the step or its image. */
function deviceOptions({ needsNodev }: Pick<SandboxLayout, 'needsNodev'>): string[] {
  return needsNodev ? ['nodev'] : [];
}

function bindEntry(source: string, target: string, ...options: string[]): MountEntry {
  return { source, target, type: 'none', options: ['bind', ...options] };
}

/** Makes submounts of a bound directory read-only too, if mount(8) supports it. */
function readonlyOption(features: MountFeatures): string {
  return features.recursiveReadonly ? 'ro=recursive' : 'ro';
}
