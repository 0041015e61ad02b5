import type { Sandbox } from '../executor.ts';
import { DEVICES } from '../sandbox/devices.ts';
import { MASKED_PATHS, type PlacedMount, READONLY_PATHS } from '../sandbox/sandbox-mounts.ts';

/** What the runtime starts, and where the parts of the sandbox are. */
export interface RuntimeLayout {
  /** The mounted tree. */
  readonly rootfs: string;
  /** Mounts with resolved targets and the paths that they show; overlays are already mounted. */
  readonly mounts: readonly { readonly placed: PlacedMount; readonly source: string }[];
  /** The binds that show the step's control groups. */
  readonly groups: readonly { readonly source: string; readonly target: string }[];
  /** Whether the step gets a control group namespace rooted at its own group. */
  readonly ownCgroupNamespace: boolean;
  /** Whether mounts other than /dev need `nodev`. */
  readonly needsNodev: boolean;
  readonly args: readonly string[];
  /** `user` inside a user namespace, where the kernel refuses a new sysfs. */
  readonly flavour: 'trusted' | 'user';
  /** The capabilities of the started process, as a mask. */
  readonly capabilities: bigint;
}

/** A mount in the runtime's configuration. */
interface RuntimeMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

/**
 * Returns the `config.json` of the runtime specification for a sandbox. It starts a generated program as root, which
 * sets limits, loads the filter, drops capabilities and switches to the step's user. A filter in `config.json` would
 * only cover system calls that the runtime's libseccomp knows.
 */
export function runtimeConfig(sandbox: Sandbox, layout: RuntimeLayout): object {
  const { process, hostname, network, security } = sandbox;
  const confined = security === 'sandbox';
  const capabilities = capabilityNames(layout.capabilities);
  const own = [...(network === 'none' ? ['network'] : []), ...(layout.ownCgroupNamespace ? ['cgroup'] : [])];
  const namespaces = ['pid', 'ipc', 'uts', 'mount', ...own];
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid: 0, gid: 0, umask: 0o022 },
      args: layout.args,
      // The program contains the environment, including secrets, which must not be in a file.
      env: [],
      cwd: process.cwd,
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      noNewPrivileges: false,
    },
    root: { path: layout.rootfs, readonly: false },
    hostname,
    mounts: [
      ...kernelMounts(sandbox, layout),
      ...layout.groups.map(groupMount),
      ...layout.mounts.map((mount) => runtimeMount(mount, layout)),
    ],
    linux: {
      namespaces: namespaces.map((type) => ({ type })),
      ...(confined ? { maskedPaths: MASKED_PATHS, readonlyPaths: READONLY_PATHS } : {}),
    },
  };
}

/** By number, as in <linux/capability.h>. */
const CAPABILITY_NAMES = [
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'LINUX_IMMUTABLE',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_ADMIN',
  'NET_RAW',
  'IPC_LOCK',
  'IPC_OWNER',
  'SYS_MODULE',
  'SYS_RAWIO',
  'SYS_CHROOT',
  'SYS_PTRACE',
  'SYS_PACCT',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_NICE',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'MKNOD',
  'LEASE',
  'AUDIT_WRITE',
  'AUDIT_CONTROL',
  'SETFCAP',
  'MAC_OVERRIDE',
  'MAC_ADMIN',
  'SYSLOG',
  'WAKE_ALARM',
  'BLOCK_SUSPEND',
  'AUDIT_READ',
  'PERFMON',
  'BPF',
  'CHECKPOINT_RESTORE',
];

/** Returns those of this process's capabilities that a runtime can give to the process it starts. */
export function givenCapabilities(permitted: bigint): bigint {
  return permitted & ((1n << BigInt(CAPABILITY_NAMES.length)) - 1n);
}

function capabilityNames(mask: bigint): string[] {
  return CAPABILITY_NAMES.flatMap((name, number) => (((mask >> BigInt(number)) & 1n) === 1n ? [`CAP_${name}`] : []));
}

function kernelMounts({ shmSize = 65_536 * 1024 }: Sandbox, { flavour, needsNodev }: RuntimeLayout): RuntimeMount[] {
  const guarded = ['nosuid', 'nodev', 'noexec'];
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: guarded },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k', ...(needsNodev ? ['nodev'] : [])],
    },
    ...(needsNodev ? DEVICES.map(boundDevice) : []),
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    {
      destination: '/dev/shm',
      type: 'tmpfs',
      source: 'shm',
      options: [...guarded, 'mode=1777', `size=${Math.ceil(shmSize / 1024)}k`],
    },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: guarded },
    flavour === 'user'
      ? { destination: '/sys', type: 'none', source: '/sys', options: ['rbind', 'ro', ...guarded] }
      : { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...guarded, 'ro'] },
  ];
}

function groupMount({ source, target }: RuntimeLayout['groups'][number]): RuntimeMount {
  return { destination: target, type: 'none', source, options: ['bind', 'ro', 'nosuid', 'nodev', 'noexec'] };
}

function boundDevice({ name }: (typeof DEVICES)[number]): RuntimeMount {
  return { destination: `/dev/${name}`, type: 'none', source: `/dev/${name}`, options: ['bind', 'ro'] };
}

function runtimeMount(
  { placed: { mount, target }, source }: RuntimeLayout['mounts'][number],
  { needsNodev }: RuntimeLayout,
): RuntimeMount {
  const destination = `/${target}`;
  const nodev = needsNodev ? ['nodev'] : [];
  if (mount.type === 'tmpfs') {
    const size = mount.size === undefined ? [] : [`size=${mount.size}`];
    return {
      destination,
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', ...size, `mode=${(mount.mode ?? 0o1777).toString(8)}`, ...nodev],
    };
  }
  return {
    destination,
    type: 'none',
    source,
    options: ['rbind', ...(mount.type === 'bind' && mount.readonly ? ['ro'] : []), ...nodev],
  };
}
