import { TbuildError } from '@tbuild/errors';
import { addImage, type Plan, type ResolveImage, type ScanTarget } from '@tbuild/frontend';
import type { GraphBuilder, RunMount, StepId } from '@tbuild/graph';
import { formatPlatform, formatReference, parseReference, type Platform, type RuntimeConfig } from '@tbuild/oci';
import type { SbomSpec } from './attestation-specs.ts';

/** How the SBOM of one image is made. */
export interface PlannedScan {
  /** The trees that it tells of beside the image's. */
  readonly extras: readonly ScanTarget[];
  /** The scanner's run, which leaves its documents in `/run/out`; without it the package databases are read. */
  readonly scanner?: StepId;
}

/** What the build is planned with. */
export interface ScanOptions {
  /** Where the steps of scanners go. */
  readonly graph: GraphBuilder;
  /** The machine's own, on which scanners run. */
  readonly platform: Platform;
  /** Whether the main context has no files that could be scanned. */
  readonly isContextEmpty: boolean;
  /** Whether scanners run again for trees that were scanned before. */
  readonly noCache: boolean;
  readonly resolveImage: ResolveImage;
  readonly signal: AbortSignal;
}

/** Where a scanner writes. */
export const SCAN_DESTINATION = '/run/out';
const CORE = '/run/src/core/sbom';
const EXTRAS = '/run/src/extras';

/**
 * A scan for each plan. A scanner of the user's own runs as a step on its image, as BuildKit's "SBOM Scanning
 * Protocol" has it: trees mounted read-only below `/run/src`, their places in `BUILDKIT_SCAN_…` variables.
 * @throws TbuildError what resolving the scanner's image throws; UNSUPPORTED for an image without a command.
 */
export async function planScans(
  plans: readonly Plan[],
  spec: SbomSpec,
  options: ScanOptions,
): Promise<readonly PlannedScan[]> {
  const scans = plans.map(({ scans: extras }) => ({
    extras: extras.filter(({ name }) => name !== 'context' || !options.isContextEmpty),
  }));
  if (spec.generator === undefined) return scans;
  const scanner = await openScanner({ ...spec, generator: spec.generator }, options);
  return scans.map(({ extras }, at) => ({ extras, scanner: scanner(plans[at], extras) }));
}

type Scanner = (plan: Plan | undefined, extras: readonly ScanTarget[]) => StepId;

async function openScanner(
  { generator, parameters }: SbomSpec & { readonly generator: string },
  { graph, platform, noCache, resolveImage, signal }: ScanOptions,
): Promise<Scanner> {
  const reference = formatReference(parseReference(generator));
  const image = await resolveImage({ reference, source: { kind: 'registry' }, platform }, signal);
  const { config } = image.config;
  const args = commandOf(config, generator);
  const from = addImage(graph, image, { name: `[scanner] FROM ${image.reference}`, platform });
  const place = { kind: 'mkdir', path: SCAN_DESTINATION, mode: 0o755, user: '' } as const;
  const name = `[scanner] make ${SCAN_DESTINATION}`;
  const base = graph.add({ op: place, base: from, sources: [], name, noCache: false });
  return (plan, extras) => {
    const { mounts, sources } = mountsOf(plan?.target, extras);
    return graph.add({
      op: {
        kind: 'run',
        args,
        env: environmentOf(config, parameters, extras),
        cwd: config.WorkingDir || '/',
        user: '',
        hostname: 'buildkitsandbox',
        network: 'default',
        security: 'sandbox',
        mounts,
        platform,
      },
      base,
      sources,
      name: `[${formatPlatform(plan?.platform ?? platform)}] generating sbom using ${reference}`,
      noCache,
    });
  };
}

function commandOf({ Entrypoint = [], Cmd = [] }: RuntimeConfig, generator: string): readonly string[] {
  const args = [...Entrypoint, ...Cmd];
  if (args.length > 0) return args;
  throw new TbuildError('UNSUPPORTED', `Scanner ${JSON.stringify(generator)} has no command`, {
    hint: 'Its image needs an ENTRYPOINT or CMD, as docker/buildkit-syft-scanner has',
  });
}

function environmentOf(
  { Env = [] }: RuntimeConfig,
  parameters: SbomSpec['parameters'],
  extras: readonly ScanTarget[],
): readonly string[] {
  return [
    ...Env,
    `BUILDKIT_SCAN_DESTINATION=${SCAN_DESTINATION}/`,
    `BUILDKIT_SCAN_SOURCE=${CORE}`,
    ...(extras.length === 0 ? [] : [`BUILDKIT_SCAN_SOURCE_EXTRAS=${EXTRAS}`]),
    ...Object.entries(parameters).map(([name, value]) => `BUILDKIT_SCAN_${name}=${value}`),
  ];
}

function mountsOf(
  target: StepId | undefined,
  extras: readonly ScanTarget[],
): { readonly mounts: readonly RunMount[]; readonly sources: readonly StepId[] } {
  const trees = extras.map(({ name, step }) => ({ path: `${EXTRAS}/sbom-${name}`, step }));
  const all = target === undefined ? trees : [{ path: CORE, step: target }, ...trees];
  const mounts = all.map(({ path }, at): RunMount => ({
    type: 'bind',
    target: path,
    from: { kind: 'step', source: at },
    source: '',
    readonly: true,
  }));
  // An image without layers is an empty tree.
  const empty: readonly RunMount[] = target === undefined ? [{ type: 'tmpfs', target: CORE }] : [];
  return { mounts: [{ type: 'tmpfs', target: '/tmp' }, ...empty, ...mounts], sources: all.map(({ step }) => step) };
}
