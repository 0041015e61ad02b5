import { isIP } from 'node:net';
import type { BuildRequest, Entitlement, Ulimit } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';

/**
 * Checks the `--add-host` options: `NAME:ADDRESS` or `NAME=ADDRESS`.
 *
 * @throws TbuildError USAGE
 */
export function extraHosts(texts: readonly string[]): readonly string[] {
  for (const text of texts) {
    const [, name = '', address = ''] = /^([^=:]+)[=:](.+)$/s.exec(text) ?? [];
    const bare = address.replace(/^\[(.*)\]$/, '$1');
    if (name !== '' && (bare === 'host-gateway' || isIP(bare) !== 0)) continue;
    throw new TbuildError('USAGE', `Option --add-host ${JSON.stringify(text)} is not of the form NAME:ADDRESS`);
  }
  return texts;
}

const ENTITLEMENTS: readonly Entitlement[] = ['network.host', 'security.insecure'];

/** What `--allow` lets outputs do, rather than steps. */
export const LOCAL_DELETE = 'buildx.local.delete';

/** @throws TbuildError USAGE for what cannot be allowed. */
export function entitlements(texts: readonly string[]): readonly Entitlement[] {
  return texts
    .flatMap((text) => text.split(','))
    .filter((text) => text !== LOCAL_DELETE)
    .map((text) => {
      const known = ENTITLEMENTS.find((name) => name === text);
      if (known !== undefined) return known;
      throw new TbuildError(
        'USAGE',
        `Entitlement ${JSON.stringify(text)} is none of ${[...ENTITLEMENTS, LOCAL_DELETE].join(', ')}`,
      );
    });
}

const UNITS: Readonly<Record<string, number>> = { '': 0, b: 0, k: 1, m: 2, g: 3, t: 4 };

/** Bytes, with a unit as Docker has them: `64m`, `1gb`, `512KiB`. */
export function byteSize(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?) ?([bkmgt]?)(?:i?b)?$/i.exec(text.trim()) ?? [];
  const power = UNITS[unit.toLowerCase()];
  if (digits !== undefined && power !== undefined) return Math.floor(Number(digits) * 1024 ** power);
  throw new TbuildError('USAGE', `Option --${option} must be a size such as 128m, not ${JSON.stringify(text)}`);
}

type Resources = NonNullable<BuildRequest['resources']>;

/** A value that cannot be read is undefined. */
const RESOURCES: Readonly<Record<string, (text: string) => Resources>> = {
  // The kernel would let nothing run.
  memory: (text) => ({ memory: byteSize(text, 'resource memory') || undefined }),
  'memory-swap': (text) => ({ memorySwap: text === '-1' ? -1 : byteSize(text, 'resource memory-swap') }),
  'cpu-shares': (text) => ({ cpuShares: count(text) }),
  'cpu-period': (text) => ({ cpuPeriod: count(text) }),
  'cpu-quota': (text) => ({ cpuQuota: count(text) }),
  cpus: (text) => ({ cpuPeriod: 100_000, cpuQuota: processors(text) }),
  'cpuset-cpus': (text) => ({ cpusetCpus: numberList(text) }),
  'cpuset-mems': (text) => ({ cpusetMems: numberList(text) }),
  pids: (text) => ({ pids: count(text) }),
};

/**
 * Reads the `--resource` options: `NAME=VALUE`, several with commas between. A value may be a list with commas
 * of its own. Undefined when there are none.
 *
 * @throws TbuildError USAGE
 */
export function resources(texts: readonly string[]): Resources | undefined {
  const fields = texts.flatMap((text) => text.split(/,(?=[^,]*=)/));
  return fields.length === 0 ? undefined : fields.reduce((all, field) => ({ ...all, ...resource(field) }), {});
}

function resource(field: string): Resources {
  const [, name = '', value = ''] = /^([^=]*)=(.*)$/s.exec(field) ?? [];
  const read = Object.hasOwn(RESOURCES, name) ? RESOURCES[name] : undefined;
  if (read === undefined) {
    throw new TbuildError('USAGE', `Option --resource ${JSON.stringify(field)} is not of the form NAME=VALUE`, {
      hint: `Resources are ${Object.keys(RESOURCES).join(', ')}`,
    });
  }
  const found = read(value);
  if (!Object.values(found).includes(undefined)) return found;
  throw new TbuildError('USAGE', `Option --resource ${name} cannot be ${JSON.stringify(value)}`);
}

function count(text: string): number | undefined {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined;
}

/** Microseconds in a period of a tenth of a second; the kernel takes no less than a thousand. */
function processors(text: string): number | undefined {
  const quota = /^(\d+|\d*\.\d+)$/.test(text) ? Math.round(Number(text) * 100_000) : 0;
  return quota >= 1000 ? quota : undefined;
}

function numberList(text: string): string | undefined {
  return /^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(text) ? text : undefined;
}

/** @throws TbuildError USAGE for a path that leads out of the hierarchy. */
export function cgroupParent(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (!text.split('/').includes('..')) return text;
  throw new TbuildError('USAGE', `Option --cgroup-parent ${JSON.stringify(text)} must not have ".." in it`);
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
 * Reads the `--ulimit` options: `NAME=SOFT[:HARD]`; without a hard limit it is the soft one.
 *
 * @throws TbuildError USAGE
 */
export function ulimits(texts: readonly string[]): readonly Ulimit[] {
  return texts.map((text) => {
    const [, name = '', low = '', high = low] = /^([a-z]+)=(-1|\d+)(?::(-1|\d+))?$/.exec(text) ?? [];
    if (!LIMITS.includes(name)) {
      throw new TbuildError('USAGE', `Option --ulimit ${JSON.stringify(text)} is not of the form NAME=SOFT[:HARD]`, {
        hint: `Limits are ${LIMITS.join(', ')}`,
      });
    }
    const [soft, hard] = [Number(low), Number(high)];
    if (hard !== -1 && (soft === -1 || soft > hard)) {
      throw new TbuildError('USAGE', `Option --ulimit ${JSON.stringify(text)} has a soft limit above the hard one`);
    }
    return { name, soft, hard };
  });
}
