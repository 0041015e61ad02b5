import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { findRuntime, overlayObstacle, probeChroot, probeNamespace } from '@tbuild/executor';
import { storeLayout } from '@tbuild/store';
import type { Environment } from '../config/environment.ts';
import { canLoadFilter, chrootObstacle, flavourOf } from '../services/isolation.ts';
import { controlGroups } from './control-groups.ts';
import { emulations } from './emulations.ts';
import type { Finding } from './finding.ts';
import { network } from './network.ts';
import { openStorePlace } from './store-place.ts';

/** Finds out what this machine allows, by trying where that takes no more than milliseconds. */
export async function findings(root: string, env: Environment): Promise<readonly Finding[]> {
  using place = openStorePlace(root, env);
  const { finding: store, directory } = place;
  const refused = env.variables.TBUILD_ISOLATION_VERDICT || undefined;
  const complaint = directory === undefined ? store.detail : await complaintOf(directory, env, refused);
  const verdict = refused ?? complaint;
  const found = isolation({ refused, complaint });
  return [
    found,
    store,
    ...userNamespaces(env, verdict),
    ...identities(env),
    utilLinux(),
    ...(directory === undefined ? [] : [overlay(directory, env, verdict)]),
    filter(verdict),
    ...(await controlGroups(env, verdict)),
    ociRuntime(),
    ...(directory === undefined || found.state === 'missing' ? [] : await ofSteps(directory, env)),
  ];
}

async function ofSteps(directory: string, env: Environment): Promise<readonly Finding[]> {
  return [await network(storeLayout(directory).run), ...(await emulations(directory, env))];
}

async function complaintOf(root: string, env: Environment, refused: string | undefined): Promise<string | undefined> {
  const options = { runDirectory: storeLayout(root).run, flavour: flavourOf(env) };
  if (refused === undefined) return probeNamespace({ ...options, now: () => Date.now() });
  return chrootObstacle() === undefined ? probeChroot(options) : undefined;
}

interface Verdicts {
  /** Why the launcher could make no namespace; then chroot is used. */
  readonly refused?: string;
  /** What is wrong with the isolation that is left. */
  readonly complaint?: string;
}

function isolation({ refused, complaint }: Verdicts): Finding {
  const name = 'isolation of RUN';
  const missing = 'RUN steps cannot be isolated here; builds without RUN work';
  if (complaint !== undefined) return { name, state: 'missing', detail: missing, fix: complaint };
  if (refused === undefined) {
    const detail = 'namespace: own files, processes, capabilities and seccomp filter of Docker';
    return { name, state: 'good', detail };
  }
  const obstacle = chrootObstacle();
  if (obstacle !== undefined)
    return { name, state: 'missing', detail: missing, fix: `${refused}; otherwise, ${obstacle}` };
  const detail =
    'chroot: own files and fewer capabilities; processes, host name and usually the network are shared; /proc has only cpuinfo and meminfo';
  return { name, state: 'limited', detail, fix: refused };
}

function userNamespaces(env: Environment, verdict: string | undefined): Finding[] {
  const name = 'user namespaces';
  if (env.uid === 0 && !env.inUserNamespace)
    return verdict === undefined ? [{ name, state: 'good', detail: 'not needed by root' }] : [];
  if (read('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === '1') {
    return [
      {
        name,
        state: verdict === undefined ? 'good' : 'missing',
        detail: 'restricted by AppArmor',
        fix: 'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (as root), or an AppArmor profile with "userns" for unshare',
      },
    ];
  }
  if (read('/proc/sys/kernel/unprivileged_userns_clone') === '0') {
    return [
      {
        name,
        state: 'missing',
        detail: 'switched off for ordinary users',
        fix: 'sysctl -w kernel.unprivileged_userns_clone=1 (as root)',
      },
    ];
  }
  if (read('/proc/sys/user/max_user_namespaces') === '0') {
    return [
      { name, state: 'missing', detail: 'switched off', fix: 'sysctl -w user.max_user_namespaces=15000 (as root)' },
    ];
  }
  return [
    {
      name,
      state: env.inUserNamespace ? 'good' : 'missing',
      detail: env.inUserNamespace ? 'in use' : 'refused',
      ...(env.inUserNamespace ? {} : { fix: verdict }),
    },
  ];
}

function identities(env: Environment): Finding[] {
  if (env.uid === 0) return [];
  const name = 'subordinate ids';
  const reason = env.variables.TBUILD_SINGLE_ID;
  if (reason !== undefined) {
    return [
      {
        name,
        state: 'limited',
        detail:
          "images keep the owners of files, but steps see all files as root's and can neither give them away nor run as others",
        fix: reason,
      },
    ];
  }
  if (!env.inUserNamespace) return [];
  return [{ name, state: 'good', detail: `${read('/proc/self/uid_map').split('\n').length} ranges of user ids` }];
}

const OLDEST_UTIL_LINUX = 2.38;

function utilLinux(): Finding {
  const name = 'util-linux';
  const version = spawnSync('unshare', ['--version'], { encoding: 'utf8' }).stdout?.match(/\d+\.\d+/)?.[0];
  if (version === undefined)
    return {
      name,
      state: 'missing',
      detail: 'there is no unshare',
      fix: `Install util-linux ${OLDEST_UTIL_LINUX} or newer`,
    };
  const [, minor = 0] = version.split('.').map(Number);
  const old = Number.parseInt(version, 10) === 2 && minor < 38;
  return old
    ? {
        name,
        state: 'limited',
        detail: `${version}: no subordinate ids for ordinary users`,
        fix: `Install util-linux ${OLDEST_UTIL_LINUX} or newer`,
      }
    : { name, state: 'good', detail: version };
}

function overlay(root: string, env: Environment, verdict: string | undefined): Finding {
  const name = 'overlay';
  if (verdict !== undefined)
    return {
      name,
      state: 'limited',
      detail: 'nothing can be mounted: steps work on copies',
      fix: 'See the isolation above',
    };
  const obstacle = overlayObstacle(storeLayout(root), flavourOf(env));
  if (obstacle === undefined) return { name, state: 'good', detail: 'steps work on the layers themselves' };
  return {
    name,
    state: 'limited',
    detail: `the store "${root}" cannot hold one (${obstacle}): steps work on copies`,
    fix: 'Put the store on a volume of ext4, XFS or Btrfs, with --root or TBUILD_ROOT',
  };
}

function filter(verdict: string | undefined): Finding {
  const name = 'seccomp';
  const mode = read('/proc/self/status').match(/^Seccomp:\s*(\d)/m)?.[1];
  if (mode === undefined)
    return { name, state: 'missing', detail: 'the kernel has none', fix: 'Use a kernel with CONFIG_SECCOMP_FILTER' };
  if (verdict !== undefined && !canLoadFilter())
    return {
      name,
      state: 'limited',
      detail: 'setuid programs such as sudo gain no rights in steps, except with RUN --security=insecure',
      fix: 'Use --cap-add SYS_ADMIN',
    };
  return {
    name,
    state: 'good',
    detail:
      mode === '2' ? 'a filter is on tbuild itself, and so on its steps' : "steps run under Docker's default filter",
  };
}

function ociRuntime(): Finding {
  const runtime = findRuntime();
  if (runtime !== undefined) return { name: 'OCI runtime', state: 'good', detail: `${runtime}, for --isolation oci` };
  return {
    name: 'OCI runtime',
    state: 'limited',
    detail: 'none, so that --isolation oci cannot be used',
    fix: 'apt install crun',
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
