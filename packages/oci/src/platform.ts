import { TbuildError } from '@tbuild/errors';

/** An operating system and processor in Go's names ("Image Index Property Descriptions"). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly 'os.version'?: string;
  readonly 'os.features'?: readonly string[];
}

const ARCHITECTURES: Readonly<Record<string, readonly [architecture: string, variant?: string]>> = {
  x86_64: ['amd64'],
  'x86-64': ['amd64'],
  x64: ['amd64'],
  aarch64: ['arm64'],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
  i386: ['386'],
  i686: ['386'],
  ia32: ['386'],
  ppc64el: ['ppc64le'],
};

const KNOWN_ARCHITECTURES = new Set(
  '386 amd64 arm arm64 loong64 mips mipsle mips64 mips64le ppc64 ppc64le riscv64 s390x wasm'.split(' '),
);

/**
 * Parses `os[/architecture[/variant]]` or an architecture alone, as `--platform` takes it. `local` and missing parts come
 * from `host`.
 * @throws TbuildError USAGE on any other form.
 */
export function parsePlatform(text: string, host: Platform): Platform {
  const parts = text.trim().toLowerCase().split('/');
  if (text.trim() === 'local') return host;
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9_.-]+$/.test(part))) throw invalid(text);
  const [first = '', architecture, variant] = parts;
  if (architecture !== undefined) return normalizePlatform({ os: first, architecture, variant });
  const alone = normalizePlatform({ os: host.os, architecture: first });
  if (KNOWN_ARCHITECTURES.has(alone.architecture)) return alone;
  if (first === 'linux' || first === 'windows' || first === 'darwin' || first === 'freebsd')
    return { ...host, os: first };
  throw invalid(text);
}

function invalid(text: string): TbuildError {
  return new TbuildError('USAGE', `Platform ${JSON.stringify(text)} is not of the form os/architecture[/variant]`, {
    hint: 'Write for example linux/amd64, linux/arm64 or linux/arm/v7',
  });
}

/** Replaces aliases and drops the default variants (`arm64/v8`, `amd64/v1`). */
export function normalizePlatform(platform: Platform): Platform {
  const [architecture, impliedVariant] = ARCHITECTURES[platform.architecture] ?? [platform.architecture];
  let variant = platform.variant?.replace(/^(\d)/, 'v$1') || impliedVariant;
  if (architecture === 'arm64' && variant === 'v8') variant = undefined;
  if (architecture === 'amd64' && variant === 'v1') variant = undefined;
  if (architecture === 'arm' && variant === undefined) variant = 'v7';
  return {
    os: platform.os,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    ...(platform['os.version'] === undefined ? {} : { 'os.version': platform['os.version'] }),
  };
}

export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = normalizePlatform(platform);
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
}

export function samePlatform(a: Platform, b: Platform): boolean {
  return formatPlatform(a) === formatPlatform(b);
}

/**
 * Returns the candidate that runs best on `wanted`: the same variant first, then a lower variant of the same
 * architecture (`arm/v6` on `arm/v7`). Undefined if none runs.
 */
export function selectPlatform<T>(
  candidates: readonly T[],
  platformOf: (candidate: T) => Platform | undefined,
  wanted: Platform,
): T | undefined {
  const level = (platform: Platform): number => Number(platform.variant?.replace(/^v/, '') ?? 0);
  const goal = normalizePlatform(wanted);
  const usable = candidates.flatMap((candidate) => {
    const platform = platformOf(candidate);
    if (platform === undefined) return [];
    const own = normalizePlatform(platform);
    const fits = own.os === goal.os && own.architecture === goal.architecture && level(own) <= level(goal);
    return fits ? [{ candidate, level: level(own) }] : [];
  });
  usable.sort((a, b) => b.level - a.level);
  return usable[0]?.candidate;
}

/** Returns the platform of the machine, from Node's names. */
export function hostPlatform(os: string, architecture: string): Platform {
  return normalizePlatform({ os: os === 'win32' ? 'windows' : os, architecture });
}
