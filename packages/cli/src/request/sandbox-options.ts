import { isIP } from 'node:net';
import type { BuildRequest, Entitlement, Ulimit } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import type { BuildSpec, Permission } from '@tbuild/spec';

/**
 * Checks lines for /etc/hosts: `NAME:ADDRESS` or `NAME=ADDRESS`.
 * @throws TbuildError USAGE
 */
export function extraHosts(texts: readonly string[]): readonly string[] {
  for (const text of texts) {
    const [, name = '', address = ''] = /^([^=:]+)[=:](.+)$/s.exec(text) ?? [];
    const bare = address.replace(/^\[(.*)\]$/, '$1');
    if (name !== '' && (bare === 'host-gateway' || isIP(bare) !== 0)) continue;
    throw new TbuildError('USAGE', `Invalid --add-host ${JSON.stringify(text)}: expected NAME:ADDRESS`);
  }
  return texts;
}

/** Returns what steps may do; the rest of `--allow` is for outputs. */
export function entitlements(allowed: readonly Permission[]): readonly Entitlement[] {
  return allowed.filter((name) => name !== 'buildx.local.delete');
}

const UNITS: Readonly<Record<string, number>> = { '': 0, b: 0, k: 1, m: 2, g: 3, t: 4 };

/** Reads bytes: a number, or a text with a unit of Docker's such as `64m`, `1gb`, `512KiB`. @throws TbuildError USAGE */
export function byteSize(size: number | string | undefined, option: string): number | undefined {
  if (size === undefined) return undefined;
  const text = String(size);
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?) ?([bkmgt]?)(?:i?b)?$/i.exec(text.trim()) ?? [];
  const power = UNITS[unit.toLowerCase()];
  if (digits !== undefined && power !== undefined) return Math.floor(Number(digits) * 1024 ** power);
  throw new TbuildError('USAGE', `Invalid ${option} ${JSON.stringify(text)}: expected a size such as 128m`);
}

type Resources = NonNullable<BuildRequest['resources']>;

/** Readers by name; they return undefined for a value that they cannot read. */
const RESOURCES: Readonly<Record<string, (text: string) => Resources>> = {
  // With no memory at all the kernel would let nothing run.
  memory: (text) => ({ memory: byteSize(text, '--resource memory') || undefined }),
  'memory-swap': (text) => ({ memorySwap: text === '-1' ? -1 : byteSize(text, '--resource memory-swap') }),
  'cpu-shares': (text) => ({ cpuShares: count(text) }),
  'cpu-period': (text) => ({ cpuPeriod: count(text) }),
  'cpu-quota': (text) => ({ cpuQuota: count(text) }),
  cpus: (text) => ({ cpuPeriod: 100_000, cpuQuota: processors(text) }),
  'cpuset-cpus': (text) => ({ cpusetCpus: numberList(text) }),
  'cpuset-mems': (text) => ({ cpusetMems: numberList(text) }),
  pids: (text) => ({ pids: count(text) }),
};

/**
 * Reads what RUN steps may use; undefined without any limit.
 * @throws TbuildError USAGE
 */
export function resources(limits: NonNullable<BuildSpec['resources']>): Resources | undefined {
  const parts = Object.entries(limits).map(([name, value]) => resource(name, String(value)));
  return parts.length === 0 ? undefined : Object.assign({}, ...parts);
}

function resource(name: string, value: string): Resources {
  const read = Object.hasOwn(RESOURCES, name) ? RESOURCES[name] : undefined;
  if (read === undefined) {
    throw new TbuildError('USAGE', `Invalid --resource ${JSON.stringify(`${name}=${value}`)}: unknown name`, {
      hint: `Use one of ${Object.keys(RESOURCES).join(', ')}`,
    });
  }
  const found = read(value);
  if (!Object.values(found).includes(undefined)) return found;
  throw new TbuildError('USAGE', `Invalid --resource ${JSON.stringify(`${name}=${value}`)}`);
}

function count(text: string): number | undefined {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined;
}

/** Returns microseconds of each tenth of a second; the kernel takes no less than a thousand. */
function processors(text: string): number | undefined {
  const quota = /^(\d+|\d*\.\d+)$/.test(text) ? Math.round(Number(text) * 100_000) : 0;
  return quota >= 1000 ? quota : undefined;
}

function numberList(text: string): string | undefined {
  return /^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(text) ? text : undefined;
}

/** Checks the path of a control group. @throws TbuildError USAGE for one that leads out of the hierarchy. */
export function cgroupParent(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (!text.split('/').includes('..')) return text;
  throw new TbuildError('USAGE', `Invalid --cgroup-parent ${JSON.stringify(text)}: it must not contain ".."`);
}

const LIMITS = [
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
];

/**
 * Reads limits of processes: one number for both, `SOFT:HARD`, or two numbers.
 * @throws TbuildError USAGE
 */
export function ulimits(limits: NonNullable<BuildSpec['ulimits']>): readonly Ulimit[] {
  return Object.entries(limits).map(([name, limit]) => {
    const text = typeof limit === 'object' ? `${limit.soft}:${limit.hard}` : String(limit);
    const shown = JSON.stringify(`${name}=${text}`);
    const [, low = '', high = low] = /^(-1|\d+)(?::(-1|\d+))?$/.exec(text) ?? [];
    const isKnown = LIMITS.includes(name);
    if (!isKnown || low === '')
      throw new TbuildError('USAGE', `Invalid --ulimit ${shown}: expected NAME=SOFT[:HARD]`, {
        hint: isKnown ? 'Give numbers; -1 is no limit' : `Use one of ${LIMITS.join(', ')}`,
      });
    const [soft, hard] = [Number(low), Number(high)];
    if (hard !== -1 && (soft === -1 || soft > hard))
      throw new TbuildError('USAGE', `Invalid --ulimit ${shown}: the soft limit is above the hard one`);
    return { name, soft, hard };
  });
}
