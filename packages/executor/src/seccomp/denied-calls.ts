/** The system call interfaces of the supported machines. */
export type CallInterface = 'x86_64' | 'x86' | 'aarch64' | 'arm';

/** The numbers of a system call in each interface. */
export type Numbers = Readonly<Record<CallInterface, number>>;

/** Four parameters, so that the tables below have a column for each interface. */
function numbers(x86_64: number, x86: number, aarch64: number, arm: number): Numbers {
  return { x86_64, x86, aarch64, arm };
}

/** Marks a call that an interface lacks. No call listed here has the number 0. */
export const ABSENT = 0;

/**
 * The calls that Docker's default filter denies a container with default capabilities: kernel administration, and
 * calls that have been used to escape.
 */
export const DENIED_CALLS: Readonly<Record<string, Numbers>> = {
  _sysctl: numbers(156, 149, 0, 149),
  acct: numbers(163, 51, 89, 51),
  add_key: numbers(248, 286, 217, 309),
  bpf: numbers(321, 357, 280, 386),
  clock_settime: numbers(227, 264, 112, 262),
  clock_settime64: numbers(0, 404, 0, 404),
  create_module: numbers(174, 127, 0, 0),
  delete_module: numbers(176, 129, 106, 129),
  fanotify_init: numbers(300, 338, 262, 367),
  finit_module: numbers(313, 350, 273, 379),
  fsconfig: numbers(431, 431, 431, 431),
  fsmount: numbers(432, 432, 432, 432),
  fsopen: numbers(430, 430, 430, 430),
  fspick: numbers(433, 433, 433, 433),
  get_kernel_syms: numbers(177, 130, 0, 0),
  get_mempolicy: numbers(239, 275, 236, 320),
  init_module: numbers(175, 128, 105, 128),
  io_uring_enter: numbers(426, 426, 426, 426),
  io_uring_register: numbers(427, 427, 427, 427),
  io_uring_setup: numbers(425, 425, 425, 425),
  ioperm: numbers(173, 101, 0, 0),
  iopl: numbers(172, 110, 0, 0),
  kcmp: numbers(312, 349, 272, 378),
  kexec_file_load: numbers(320, 0, 294, 401),
  kexec_load: numbers(246, 283, 104, 347),
  keyctl: numbers(250, 288, 219, 311),
  lookup_dcookie: numbers(212, 253, 18, 249),
  lsm_get_self_attr: numbers(459, 459, 459, 459),
  lsm_list_modules: numbers(461, 461, 461, 461),
  lsm_set_self_attr: numbers(460, 460, 460, 460),
  mbind: numbers(237, 274, 235, 319),
  migrate_pages: numbers(256, 294, 238, 400),
  mount: numbers(165, 21, 40, 21),
  mount_setattr: numbers(442, 442, 442, 442),
  move_mount: numbers(429, 429, 429, 429),
  move_pages: numbers(279, 317, 239, 344),
  nfsservctl: numbers(180, 169, 42, 169),
  open_by_handle_at: numbers(304, 342, 265, 371),
  open_tree: numbers(428, 428, 428, 428),
  perf_event_open: numbers(298, 336, 241, 364),
  pidfd_getfd: numbers(438, 438, 438, 438),
  pivot_root: numbers(155, 217, 41, 218),
  process_madvise: numbers(440, 440, 440, 440),
  query_module: numbers(178, 167, 0, 0),
  quotactl: numbers(179, 131, 60, 131),
  quotactl_fd: numbers(443, 443, 443, 443),
  reboot: numbers(169, 88, 142, 88),
  request_key: numbers(249, 287, 218, 310),
  set_mempolicy: numbers(238, 276, 237, 321),
  set_mempolicy_home_node: numbers(450, 450, 450, 450),
  setdomainname: numbers(171, 121, 162, 121),
  sethostname: numbers(170, 74, 161, 74),
  setns: numbers(308, 346, 268, 375),
  settimeofday: numbers(164, 79, 170, 79),
  stime: numbers(0, 25, 0, 0),
  swapoff: numbers(168, 115, 225, 115),
  swapon: numbers(167, 87, 224, 87),
  sysfs: numbers(139, 135, 0, 135),
  syslog: numbers(103, 103, 116, 103),
  umount: numbers(0, 22, 0, 0),
  umount2: numbers(166, 52, 39, 52),
  unshare: numbers(272, 310, 97, 337),
  uselib: numbers(134, 86, 0, 86),
  userfaultfd: numbers(323, 374, 282, 388),
  ustat: numbers(136, 62, 0, 62),
  vhangup: numbers(153, 111, 58, 111),
  vm86: numbers(0, 166, 0, 0),
  vm86old: numbers(0, 113, 0, 0),
};

/**
 * The calls that read, change or take over another process of the same user. Docker allows them, since its containers
 * do not see outside processes. Where a step sees them, `kcmp` and `pidfd_getfd` in {@link DENIED_CALLS} matter too.
 */
export const TRACING_CALLS: Readonly<Record<string, Numbers>> = {
  process_vm_readv: numbers(310, 347, 270, 376),
  process_vm_writev: numbers(311, 348, 271, 377),
  ptrace: numbers(101, 26, 117, 26),
};

/** The calls that change the owner of a file, or the user or groups of a process. */
export const ID_CALLS: Readonly<Record<string, Numbers>> = {
  chown: numbers(92, 182, 0, 182),
  chown32: numbers(0, 212, 0, 212),
  fchown: numbers(93, 95, 55, 95),
  fchown32: numbers(0, 207, 0, 207),
  fchownat: numbers(260, 298, 54, 325),
  lchown: numbers(94, 16, 0, 16),
  lchown32: numbers(0, 198, 0, 198),
  setfsgid: numbers(123, 139, 152, 139),
  setfsgid32: numbers(0, 216, 0, 216),
  setfsuid: numbers(122, 138, 151, 138),
  setfsuid32: numbers(0, 215, 0, 215),
  setgid: numbers(106, 46, 144, 46),
  setgid32: numbers(0, 214, 0, 214),
  setgroups: numbers(116, 81, 159, 81),
  setgroups32: numbers(0, 206, 0, 206),
  setregid: numbers(114, 71, 143, 71),
  setregid32: numbers(0, 204, 0, 204),
  setresgid: numbers(119, 170, 149, 170),
  setresgid32: numbers(0, 210, 0, 210),
  setresuid: numbers(117, 164, 147, 164),
  setresuid32: numbers(0, 208, 0, 208),
  setreuid: numbers(113, 70, 145, 70),
  setreuid32: numbers(0, 203, 0, 203),
  setuid: numbers(105, 23, 146, 23),
  setuid32: numbers(0, 213, 0, 213),
};

/** Calls that are denied depending on an argument. */
export const JUDGED_CALLS = {
  clone: numbers(56, 120, 220, 120),
  clone3: numbers(435, 435, 435, 435),
  personality: numbers(135, 136, 92, 136),
  socket: numbers(41, 359, 198, 281),
} as const;

/**
 * The newest call that Docker's filter knows (removexattrat). Newer calls have the same number on every architecture.
 */
export const NEWEST_CALL = 466;
