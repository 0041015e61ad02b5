import type { Flags } from './args.ts';
import { buildFlags } from './build-flags.ts';
import { registryFlags } from './registry-flags.ts';

/** The options of `tbuild bake`, in the order of the help text. */
export const bakeFlags = {
  allow: {
    kind: 'list',
    value: 'NAME',
    help: 'Allow what targets ask for: network.host, security.insecure, device[=NAME], buildx.local.delete, fs[.read|.write]=PATH',
  },
  builder: { kind: 'text', hidden: true, help: 'No effect: there is one builder' },
  call: buildFlags.call,
  check: { kind: 'switch', help: 'Check the Dockerfiles without building: --call=check' },
  'cyclonedx-file': buildFlags['cyclonedx-file'],
  'dotenv-file': {
    ...buildFlags['dotenv-file'],
    help: 'Write TBUILD_IMAGE_TARGET, TBUILD_DIGEST_TARGET and TBUILD_REFERENCE_TARGET for each target, as with build',
  },
  explain: buildFlags.explain,
  file: {
    kind: 'list',
    short: 'f',
    value: 'FILE',
    help: 'A bake or compose file, "-" for standard input; later files add to earlier ones',
  },
  ca: registryFlags.ca,
  'cdi-spec-dir': buildFlags['cdi-spec-dir'],
  'gitlab-metadata': buildFlags['gitlab-metadata'],
  'insecure-registry': registryFlags['insecure-registry'],
  isolation: buildFlags.isolation,
  jobs: { kind: 'text', value: 'N', help: 'How many steps of all targets may run at once' },
  list: {
    kind: 'text',
    value: 'WHAT',
    help: 'List targets or variables; type=targets|variables,format=table|json',
  },
  load: { kind: 'switch', help: 'Load the images into Docker, or into Podman where no Docker runs' },
  'metadata-file': { kind: 'text', value: 'FILE', help: 'Write the metadata of each target to a file, as JSON' },
  'no-cache': { kind: 'switch', help: 'Run every step, even if it is cached' },
  'on-error': buildFlags['on-error'],
  print: { kind: 'switch', help: 'Print the targets with all that they inherit, and build nothing' },
  progress: buildFlags.progress,
  provenance: buildFlags.provenance,
  pull: { kind: 'switch', help: 'Ask registries again for images that were resolved before' },
  push: { kind: 'switch', help: 'Push the images to the registries of their names' },
  quiet: { kind: 'switch', short: 'q', help: 'Print the image IDs only, or the output of the step that failed' },
  'registry-map': registryFlags['registry-map'],
  'registry-mirror': registryFlags['registry-mirror'],
  report: buildFlags.report,
  root: buildFlags.root,
  sbom: buildFlags.sbom,
  set: {
    kind: 'list',
    value: 'TARGET.KEY=VALUE',
    help: 'Override an attribute; TARGET may have *, and += appends to a list',
  },
  'skip-default-registry-fallback': registryFlags['skip-default-registry-fallback'],
  timeout: buildFlags.timeout,
  var: { kind: 'list', value: 'NAME=VALUE', help: 'Set a variable of the files' },
  debug: buildFlags.debug,
  help: buildFlags.help,
} as const satisfies Flags;
