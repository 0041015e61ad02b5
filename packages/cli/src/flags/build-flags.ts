import type { Flags } from './args.ts';
import { ignoredFlags } from './ignored-flags.ts';
import { registryFlags } from './registry-flags.ts';

/** The older spelling of `--resource NAME=VALUE` in `docker build`. */
export const resourceFlags = {
  memory: { kind: 'text', short: 'm', hidden: true, help: 'As --resource memory' },
  'memory-swap': { kind: 'text', hidden: true, help: 'As --resource memory-swap' },
  'cpu-shares': { kind: 'text', short: 'c', hidden: true, help: 'As --resource cpu-shares' },
  'cpu-period': { kind: 'text', hidden: true, help: 'As --resource cpu-period' },
  'cpu-quota': { kind: 'text', hidden: true, help: 'As --resource cpu-quota' },
  'cpuset-cpus': { kind: 'text', hidden: true, help: 'As --resource cpuset-cpus' },
  'cpuset-mems': { kind: 'text', hidden: true, help: 'As --resource cpuset-mems' },
} as const satisfies Flags;

/** The options of `tbuild build`, in the order of the help text. */
export const buildFlags = {
  'add-host': {
    kind: 'list',
    value: 'NAME:IP',
    help: 'Add a line to /etc/hosts of RUN steps; the address may be host-gateway',
  },
  allow: {
    kind: 'list',
    value: 'NAME',
    help: 'Allow network.host, security.insecure, device[=NAME[,alias=NAME]] or buildx.local.delete',
  },
  annotation: {
    kind: 'list',
    value: '[KIND:]NAME=VALUE',
    help: 'Annotate the image; kinds are manifest, index, manifest-descriptor, index-descriptor',
  },
  attest: {
    kind: 'list',
    value: 'SPEC',
    help: 'Attest the image: type=provenance,mode=min|max or type=sbom[,generator=IMAGE]',
  },
  'build-arg': {
    kind: 'list',
    value: 'NAME[=VALUE]',
    help: 'Set an ARG; without a value, take it from the environment',
  },
  'base-annotations': {
    kind: 'switch',
    help: 'Annotate the image with the name and the digest of its base (org.opencontainers.image.base.*)',
  },
  'build-arg-file': {
    kind: 'list',
    value: 'FILE',
    help: 'Set the ARGs that a file lists, one NAME=VALUE a line; --build-arg wins',
  },
  'build-context': {
    kind: 'list',
    value: 'NAME=SOURCE',
    help: 'Add a context: a path, git, a URL, docker-image://REF, oci-layout://DIR, an image of an engine',
  },
  ca: registryFlags.ca,
  call: {
    kind: 'text',
    value: 'CALL',
    help: 'Build nothing, print: check, outline, targets or subrequests.describe; also CALL,format=json',
  },
  'cdi-spec-dir': {
    kind: 'list',
    value: 'DIR',
    help: 'Where CDI specifications of devices are (default: /etc/cdi, /var/run/cdi, /etc/buildkit/cdi)',
  },
  'cgroup-parent': { kind: 'text', value: 'PATH', help: 'The parent of the control groups of RUN steps' },
  check: { kind: 'switch', help: 'Check the Dockerfile without building: --call=check' },
  'cache-from': {
    kind: 'list',
    value: 'SPEC',
    help: 'Take steps from a cache: a reference, type=registry,ref=REF or type=local,src=DIR',
  },
  'cache-to': {
    kind: 'list',
    value: 'SPEC',
    help: 'Save the steps: type=registry,ref=REF, type=local,dest=DIR or type=inline; mode=min|max',
  },
  'cyclonedx-file': {
    kind: 'text',
    value: 'FILE',
    help: 'Write what --sbom finds as CycloneDX JSON, for reports:cyclonedx of a GitLab job',
  },
  'cache-ttl': { kind: 'text', value: 'SPAN', help: 'Run the RUN steps again that ran longer ago, e.g. 24h or 7d' },
  file: {
    kind: 'text',
    short: 'f',
    value: 'PATH',
    help: 'The Dockerfile: a path, a URL, "-" for standard input (default: CONTEXT/Dockerfile)',
  },
  'dotenv-file': {
    kind: 'text',
    value: 'FILE',
    help: 'Write TBUILD_IMAGE, TBUILD_DIGEST and TBUILD_REFERENCE for reports:dotenv of a GitLab job',
  },
  explain: { kind: 'switch', help: 'Explain for each step that ran why it was not cached' },
  'digest-file': { kind: 'text', value: 'FILE', help: 'Write the digest of the image, or of the index, to a file' },
  env: { kind: 'list', value: 'NAME[=VALUE]', help: 'Set a variable of the finished image; steps do not see it' },
  'fake-ids': {
    kind: 'switch',
    help: 'Without subordinate ids: let chown, useradd and the like in RUN appear to succeed',
  },
  format: {
    kind: 'text',
    value: 'FORMAT',
    help: 'How --check and --call print: text, json; --check also gitlab-codequality, sarif or junit',
  },
  'gitlab-metadata': {
    kind: 'switch',
    help: 'Add labels and annotations org.opencontainers.image.* from the variables of a GitLab job',
  },
  iidfile: { kind: 'text', value: 'FILE', help: 'Write the image ID to a file' },
  ignorefile: { kind: 'text', value: 'FILE', help: 'Use this file instead of .dockerignore' },
  'image-name-tag-with-digest-file': {
    kind: 'text',
    hidden: true,
    value: 'FILE',
    help: 'Write NAME:TAG@DIGEST of each name to a file',
  },
  'image-name-with-digest-file': {
    kind: 'text',
    hidden: true,
    value: 'FILE',
    help: 'Write NAME@DIGEST of each name to a file',
  },
  'insecure-registry': registryFlags['insecure-registry'],
  isolation: { kind: 'text', value: 'KIND', help: 'How RUN steps are isolated: auto, namespace, oci or chroot' },
  jobs: { kind: 'text', value: 'N', help: 'How many steps may run at once (default: as many as the graph allows)' },
  label: { kind: 'list', value: 'NAME=VALUE', help: 'Set a label of the image' },
  load: { kind: 'switch', help: 'Load the image into Docker, or into Podman where no Docker runs' },
  'log-max': {
    kind: 'text',
    value: 'SIZE',
    help: 'Show so much output of each step, e.g. 2m; the end of a step that fails is always shown',
  },
  'metadata-file': { kind: 'text', value: 'FILE', help: 'Write metadata of the result to a file, as JSON' },
  'on-error': {
    kind: 'text',
    value: 'ask|shell|exit',
    help: 'When a step fails: ask, open a shell in it, or exit (default: ask on a terminal, else exit)',
  },
  network: {
    kind: 'text',
    value: 'MODE',
    help: 'The network of RUN: default (isolated if possible), none, host, pasta (always isolated)',
  },
  'no-cache': { kind: 'switch', help: 'Run every step, even if it is cached' },
  'no-cache-filter': { kind: 'list', value: 'STAGE', help: 'Run every step of these stages' },
  'omit-history': { kind: 'switch', help: 'Leave the history out of the image' },
  output: {
    kind: 'list',
    short: 'o',
    value: 'SPEC',
    help: 'Where the result goes: type=image|docker|oci|tar|local|registry|cacheonly,dest=PATH, or a path',
  },
  platform: {
    kind: 'list',
    value: 'OS/ARCH',
    help: 'Build for this platform, or for several, separated by commas, under one index',
  },
  print: { kind: 'text', hidden: true, value: 'CALL', help: 'The older name of --call' },
  progress: {
    kind: 'text',
    value: 'MODE',
    help: 'How progress is shown: auto, tty, plain, gitlab, quiet (the image ID only), none or rawjson',
  },
  provenance: {
    kind: 'text',
    value: 'true|mode=min|mode=max',
    help: 'Attest how the image was built (SLSA provenance)',
  },
  pull: {
    kind: 'optional',
    value: 'always|missing|never|newer',
    help: 'When to ask registries for base images (default: newer, or the known one without an answer)',
  },
  push: { kind: 'switch', help: 'Push the image to the registries of its names' },
  quiet: { kind: 'switch', short: 'q', help: 'Print only the image ID, or the output of the step that failed' },
  'registry-certificate': registryFlags['registry-certificate'],
  'registry-client-cert': registryFlags['registry-client-cert'],
  'registry-map': registryFlags['registry-map'],
  'registry-mirror': registryFlags['registry-mirror'],
  report: { kind: 'text', value: 'FILE', help: 'Write a page about the build: timeline, graph, layers, logs' },
  resource: {
    kind: 'list',
    value: 'NAME=VALUE',
    help: 'What RUN may use: memory, memory-swap, cpus, pids, cpu-shares|period|quota, cpuset-cpus|mems',
  },
  'rewrite-timestamp': { kind: 'switch', hidden: true, help: 'As -o …,rewrite-timestamp=true, for all outputs' },
  root: { kind: 'text', value: 'DIR', help: 'The store (default: $TBUILD_ROOT, or the data directory of the user)' },
  sbom: {
    kind: 'text',
    value: 'true|generator=IMAGE',
    help: 'Attest which packages the image holds (SPDX), with the image of a scanner or without',
  },
  secret: { kind: 'list', value: 'id=ID[,src=FILE|,env=NAME]', help: 'A secret for RUN --mount=type=secret' },
  'shm-size': { kind: 'text', value: 'SIZE', help: 'The size of /dev/shm in RUN steps, e.g. 128m (default: 64m)' },
  'skip-default-registry-fallback': registryFlags['skip-default-registry-fallback'],
  'source-date-epoch': { kind: 'text', hidden: true, value: 'SECONDS', help: 'As SOURCE_DATE_EPOCH' },
  'source-policy-file': {
    kind: 'text',
    value: 'FILE',
    help: 'Allow, deny and convert sources by a policy of BuildKit ($EXPERIMENTAL_BUILDKIT_SOURCE_POLICY)',
  },
  ssh: {
    kind: 'list',
    value: 'ID[=SOCKET|KEY[,KEY]]',
    help: 'An SSH agent or keys for RUN --mount=type=ssh; "default" is $SSH_AUTH_SOCK',
  },
  tag: { kind: 'list', short: 't', value: 'NAME[:TAG]', help: 'Name the image; may be given several times' },
  target: { kind: 'text', value: 'STAGE', help: 'Build this stage instead of the last one' },
  timeout: {
    kind: 'text',
    value: 'SPAN',
    help: 'Fail when the whole build takes longer, e.g. 90s or 1h30m; finished steps stay cached',
  },
  timestamp: {
    kind: 'text',
    value: 'SECONDS',
    help: 'Set SOURCE_DATE_EPOCH, and lower the times of files in new layers to it',
  },
  ulimit: {
    kind: 'list',
    value: 'NAME=SOFT[:HARD]',
    help: 'Limit the processes of RUN steps, e.g. nofile=1024:2048',
  },
  unsetenv: { kind: 'list', value: 'NAME', help: 'Remove a variable from the finished image' },
  unsetlabel: { kind: 'list', value: 'NAME', help: 'Remove a label from the finished image' },
  debug: { kind: 'switch', short: 'D', help: 'Show the causes of errors, and warnings in full' },
  help: { kind: 'switch', short: 'h', help: 'Show this text' },
  ...resourceFlags,
  ...ignoredFlags,
} as const satisfies Flags;
