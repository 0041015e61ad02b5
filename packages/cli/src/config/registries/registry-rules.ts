import { TbuildError } from '@tbuild/errors';
import { formatRepository, type Reference } from '@tbuild/oci';
import { parseAddressRange } from '@tbuild/registry';
import type { CertificateFiles } from '@tbuild/spec';
import type { RegistryRule } from './registries-conf.ts';
import { hostOf, parseRegistryMap } from './registry-map.ts';

/** The registry options of the command line and the environment. */
export interface RegistryOptions {
  /**
   * `host[:port]` or a range of addresses (`10.0.0.0/8`): registries that may be reached without TLS or with any
   * certificate.
   */
  readonly insecure: readonly string[];
  /** Where to look for images first, in the form of `--registry-map` and `--registry-mirror`. */
  readonly mirrors?: readonly string[];
  /** Look for images in the mirrors only. */
  readonly mirrorsOnly?: boolean;
  /** Files with certificates of authorities (PEM) to trust, also for other servers. */
  readonly ca?: readonly string[];
  /** Certificates by `host[:port]`, as absolute paths. */
  readonly certificates?: Readonly<Record<string, CertificateFiles>>;
  /** In the form of `--min-download-rate` and `--server-timeout`. */
  readonly minDownloadRate?: string;
  readonly serverTimeout?: string;
}

/** Where images are and how to reach their registries. */
export interface RegistryRules {
  /**
   * Returns the full names under which to read the images of a repository, in order.
   * @throws TbuildError USAGE when the configuration blocks them.
   */
  places(reference: Reference): readonly string[];
  insecure(registry: string): boolean;
}

/** Combines the user's options, which come first, with the configuration. */
export function createRegistryRules(options: RegistryOptions, configured: readonly RegistryRule[]): RegistryRules {
  const mapped = parseRegistryMap(options.mirrors ?? []);
  const insecure = new Set([
    ...options.insecure,
    ...mapped.insecure,
    ...configured.flatMap((rule) => [
      ...(rule.insecure ? [hostOf(rule.location)] : []),
      ...rule.mirrors.flatMap((mirror) => (mirror.insecure ? [hostOf(mirror.location)] : [])),
    ]),
  ]);
  const ranges = [...insecure].flatMap((text) => parseAddressRange(text) ?? []);
  return {
    places(reference) {
      const name = formatRepository(reference);
      const rule = ruleFor(name, configured);
      if (rule?.blocked === true)
        throw new TbuildError('USAGE', `Images below ${rule.prefix} are blocked by ${rule.file}`);
      const own = mapped.mirrorsOf(reference.registry).map((mirror) => `${mirror}/${reference.repository}`);
      const others =
        rule === undefined ? [] : mirrorsOf(rule, reference).map(({ location }) => moved(name, rule, location));
      const mirrors = [...own, ...others];
      return options.mirrorsOnly === true && mirrors.length > 0
        ? mirrors
        : [...mirrors, rule === undefined ? name : moved(name, rule, rule.location)];
    },
    insecure(registry) {
      const host = registry.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
      return insecure.has(registry) || insecure.has(host) || ranges.some((contains) => contains(host));
    },
  };
}

/** Returns the rule with the longest matching prefix. */
function ruleFor(name: string, rules: readonly RegistryRule[]): RegistryRule | undefined {
  const matching = rules.filter(({ prefix }) =>
    prefix.startsWith('*.')
      ? hostOf(name).endsWith(prefix.slice(1))
      : name === prefix || (name.startsWith(prefix) && /[/:]/.test(name.charAt(prefix.length))),
  );
  return matching.sort((a, b) => b.prefix.length - a.prefix.length)[0];
}

function mirrorsOf({ mirrors }: RegistryRule, { digest }: Reference): RegistryRule['mirrors'] {
  const unwanted = digest === undefined ? 'digest-only' : 'tag-only';
  return mirrors.filter(({ use, location }) => use !== unwanted && location !== '');
}

function moved(name: string, { prefix }: RegistryRule, location: string): string {
  if (!prefix.startsWith('*.')) return `${location}${name.slice(prefix.length)}`;
  return location === prefix ? name : `${location}${name.slice(hostOf(name).length)}`;
}
