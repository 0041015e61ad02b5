import { TbuildError } from '@tbuild/errors';
import { addImage, type Plan, type ResolveImage, type ScanTarget } from '@tbuild/frontend';
import type { GraphBuilder, RunMount, StepId } from '@tbuild/graph';
import { formatPlatform, formatReference, parseReference, type Platform, type RuntimeConfig } from '@tbuild/oci';
import type { SbomSpec } from './attestation-specs.ts';

/** How to make the SBOM of one image. */
export interface PlannedScan {
  /** Trees to describe besides the image itself. */
  readonly extras: readonly ScanTarget[];
  /** The step that runs the scanner, which writes to `/run/out`. Undefined to read the package databases. */
  readonly scanner?: StepId;
}

/** What planning a scan needs. */
export interface ScanOptions {
  /** Receives the scanner steps. */
  readonly graph: GraphBuilder;
  /** Platform of this machine, on which scanners run. */
  readonly platform: Platform;
  /** Whether the main context has no files to scan. */
  readonly isContextEmpty: boolean;
  /** Whether scanners run again for trees that were scanned before. */
  readonly noCache: boolean;
  readonly resolveImage: ResolveImage;
  readonly signal: AbortSignal;
}

/** The directory that a scanner writes to. */
export const SCAN_DESTINATION = '/run/out';
const CORE = '/run/src/core/sbom';
const EXTRAS = '/run/src/extras';

/**
 * Plans one scan per plan. A scanner image runs as a step, following BuildKit's "SBOM Scanning Protocol": trees are
 * mounted read-only below `/run/src`, and `BUILDKIT_SCAN_…` variables name their paths.
 * @throws TbuildError as `resolveImage`; UNSUPPORTED for a scanner image without a command.
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
    hint: 'Use an image with an ENTRYPOINT or CMD, such as docker/buildkit-syft-scanner',
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
