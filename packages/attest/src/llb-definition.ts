import { withoutCredentials } from '@tbuild/errors';
import { gitFragment } from '@tbuild/frontend';
import type { CopyOp, CopySelection, FileSource, GitOp, HttpOp, ImageOp, RunOp, Step, StepId } from '@tbuild/graph';
import { canonicalJson, digestOf, type Platform } from '@tbuild/oci';
import type { BuildFacts } from './build-facts.ts';
import { layoutName } from './materials.ts';

/** A node of BuildKit's graph. */
export interface LlbNode {
  readonly id: string;
  readonly inputs?: readonly string[];
  readonly op: object;
}

/** The steps of a build as BuildKit describes them. */
export interface LlbDefinition {
  readonly nodes: readonly LlbNode[];
  readonly digestMapping: Readonly<Record<string, string>>;
  /** The node of each step. */
  readonly nodeOf: ReadonlyMap<StepId, string>;
}

/**
 * Translates the steps that an image needs into BuildKit's form, which names contexts and heredocs as nodes of their own.
 * Readers can follow what was done; BuildKit's own digests of the nodes are others.
 */
export function llbDefinition(facts: BuildFacts): LlbDefinition {
  const nodes = new Nodes(facts);
  for (const step of facts.graph.steps.values()) nodes.addStep(step);
  const last = facts.target === undefined ? undefined : nodes.nodeOf.get(facts.target);
  if (last !== undefined) nodes.add({ Op: {} }, [last]);
  return { nodes: nodes.list, digestMapping: digestsOf(nodes.list), nodeOf: nodes.nodeOf };
}

/** Returns how a local Dockerfile was read, in the same form. */
export function fileDefinition(name: string): { readonly llbDefinition: object; readonly digestMapping: object } {
  const attrs = {
    'local.differ': 'none',
    'local.followpaths': JSON.stringify([name, `${name}.dockerignore`, name.toLowerCase()]),
    'local.sharedkeyhint': 'dockerfile',
  };
  const source = { identifier: 'local://dockerfile', attrs };
  const nodes = [
    { id: 'step0', op: { Op: { source }, constraints: {} } },
    { id: 'step1', op: { Op: {} }, inputs: ['step0:0'] },
  ];
  return { llbDefinition: nodes, digestMapping: digestsOf(nodes) };
}

function digestsOf(nodes: readonly LlbNode[]): Readonly<Record<string, string>> {
  const digests = nodes.map((node) => [digestOf(canonicalJson(node)), node.id] as const);
  return Object.fromEntries(digests.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

class Nodes {
  readonly list: LlbNode[] = [];
  readonly nodeOf = new Map<StepId, string>();
  readonly #facts: BuildFacts;
  readonly #shared = new Map<string, string>();

  constructor(facts: BuildFacts) {
    this.#facts = facts;
  }

  add(op: object, inputs: readonly string[] = []): string {
    const id = `step${this.list.length}`;
    const outputs = inputs.map((input) => `${input}:0`);
    this.list.push({ id, ...(outputs.length === 0 ? {} : { inputs: outputs }), op });
    return id;
  }

  addStep(step: Step): void {
    const { op } = step;
    const base = step.base === undefined ? undefined : this.nodeOf.get(step.base);
    this.nodeOf.set(step.id, this.#addOp(step, op, base));
  }

  #addOp(step: Step, op: Step['op'], base: string | undefined): string {
    const onBase = base === undefined ? [] : [base];
    const noInput = base === undefined ? -1 : 0;
    switch (op.kind) {
      case 'image':
        return this.add({ Op: { source: this.#imageSource(op) }, constraints: {}, platform: platformOf(op.platform) });
      case 'http':
      case 'git':
        return this.add({ Op: { source: remoteSource(op) }, constraints: {} });
      case 'mkdir': {
        const mkdir = { makeParents: true, mode: op.mode, path: op.path, timestamp: -1 };
        const action = { Action: { mkdir }, input: noInput, output: 0, secondaryInput: -1 };
        return this.add({ Op: { file: { actions: [action] } }, constraints: {} }, onBase);
      }
      case 'stack': {
        const inputs = [...onBase, ...this.#inputsOf(step)];
        return this.add({ Op: { merge: { inputs: inputs.map((_, input) => ({ input })) } }, constraints: {} }, inputs);
      }
      case 'copy':
        return this.#addCopy(step, op, base);
      case 'run':
        return this.#addRun(step, op, onBase);
    }
  }

  #inputsOf({ sources }: Step): readonly string[] {
    return sources.flatMap((source) => this.nodeOf.get(source) ?? []);
  }

  #addCopy(step: Step, op: CopyOp, base: string | undefined): string {
    const inputs = base === undefined ? [] : [base];
    const selections = [op, ...(op.more ?? [])].map((selection) => {
      const from = this.#sourceNode(step, selection.from, selection.sources);
      if (from !== undefined && !inputs.includes(from)) inputs.push(from);
      return { selection, secondaryInput: from === undefined ? -1 : inputs.indexOf(from) };
    });
    const copies = selections.flatMap(({ selection, secondaryInput }) =>
      selection.sources.map((source) => ({ copy: copyAction(op, selection, source), secondaryInput })),
    );
    // Later actions work on the result of the one before, which counts on after the inputs.
    const actions = copies.map(({ copy, secondaryInput }, at) => ({
      Action: { copy },
      input: at === 0 ? (base === undefined ? -1 : 0) : inputs.length + at - 1,
      output: at === copies.length - 1 ? 0 : -1,
      secondaryInput,
    }));
    return this.add({ Op: { file: { actions } }, constraints: {} }, inputs);
  }

  #addRun(step: Step, op: RunOp, onBase: readonly string[]): string {
    const inputs = [...onBase];
    const mounts: object[] = [{ dest: '/', ...(onBase.length === 0 ? { input: -1 } : {}) }];
    for (const mount of op.mounts) {
      const place = { dest: mount.target ?? '' };
      if (mount.type === 'bind') {
        const from = this.#sourceNode(step, mount.from, [mount.source]);
        const input = from === undefined ? -1 : inputs.push(from) - 1;
        mounts.push({ ...place, input, output: -1, readonly: mount.readonly, selector: mount.source });
      } else if (mount.type === 'cache')
        mounts.push({
          cacheOpt: { ID: mount.id, sharing: SHARING[mount.sharing] },
          ...place,
          mountType: 3,
          output: -1,
        });
      else if (mount.type === 'tmpfs') mounts.push({ ...place, mountType: 4, output: -1 });
      else if (mount.type === 'secret')
        mounts.push({ ...place, mountType: 1, output: -1, secretOpt: { ID: mount.id, optional: !mount.required } });
      else mounts.push({ ...place, mountType: 2, output: -1, SSHOpt: { ID: mount.id, optional: !mount.required } });
    }
    const { args, cwd, env, user, hostname } = op;
    const meta = {
      args,
      cwd,
      env,
      ...(hostname === '' || hostname === DEFAULT_HOST ? {} : { hostname }),
      removeMountStubsRecursive: true,
      ...(user === '' ? {} : { user }),
    };
    const exec = {
      meta,
      mounts,
      ...(op.network === 'default' ? {} : { network: op.network === 'host' ? 1 : 2 }),
      ...(op.security === 'insecure' ? { security: 1 } : {}),
    };
    return this.add({ Op: { exec }, constraints: {}, platform: platformOf(op.platform) }, inputs);
  }

  /** Returns the node that files are read from, and adds it for a context or heredocs. */
  #sourceNode(step: Step, from: FileSource, paths: readonly string[]): string | undefined {
    if (from.kind === 'step') {
      const id = step.sources[from.source];
      return id === undefined ? undefined : this.nodeOf.get(id);
    }
    const op = from.kind === 'context' ? contextSource(from.name, paths) : inlineFiles(from.files);
    const key = canonicalJson(op);
    const known = this.#shared.get(key) ?? this.add(op);
    this.#shared.set(key, known);
    return known;
  }

  #imageSource({ source, reference, manifest }: ImageOp): object {
    if (source.kind === 'layout')
      return { identifier: `oci-layout://${layoutName(source.path, this.#facts.request)}@${manifest}` };
    return { identifier: `docker-image://${reference}` };
  }
}

/** What a step without a name for its host has. */
const DEFAULT_HOST = 'buildkitsandbox';

const SHARING = { shared: 0, private: 1, locked: 2 } as const;

function platformOf({ architecture, os, variant }: Platform): object {
  return { Architecture: architecture, OS: os, ...(variant === undefined ? {} : { Variant: variant }) };
}

function remoteSource(op: GitOp | HttpOp): object {
  if (op.kind === 'http') return { attrs: { 'http.filename': op.filename }, identifier: op.url };
  const place = op.url.replace(/^[a-z]+:\/\//i, '');
  return {
    attrs: { 'git.fullurl': op.url, ...(op.keepGitDir ? { 'git.keepgitdir': 'true' } : {}) },
    identifier: `git://${place}${gitFragment(op)}`,
  };
}

function contextSource(name: string, paths: readonly string[]): object {
  const attrs = { 'local.followpaths': JSON.stringify(paths), 'local.sharedkeyhint': name };
  return { Op: { source: { attrs, identifier: `local://${name}` } }, constraints: {} };
}

function inlineFiles(files: Extract<FileSource, { kind: 'inline' }>['files']): object {
  const actions = files.map(({ name, content, mode = 0o644 }, at) => ({
    Action: {
      mkfile: {
        data: Buffer.from(withoutCredentials(content)).toString('base64'),
        mode,
        path: `/${name}`,
        timestamp: -1,
      },
    },
    input: at - 1,
    output: at === files.length - 1 ? 0 : -1,
    secondaryInput: -1,
  }));
  return { Op: { file: { actions } }, constraints: {} };
}

function copyAction({ destination, chown, chmod, exclude }: CopyOp, { unpack }: CopySelection, source: string): object {
  return {
    allowEmptyWildcard: true,
    allowWildcard: true,
    ...(unpack ? { attemptUnpackDockerCompatibility: true } : {}),
    createDestPath: true,
    dest: destination,
    dirCopyContents: true,
    ...(exclude.length === 0 ? {} : { excludePatterns: exclude }),
    followSymlink: true,
    mode: typeof chmod === 'number' ? chmod : -1,
    ...(typeof chmod === 'string' ? { modeStr: chmod } : {}),
    ...(chown === undefined ? {} : { owner: ownerOf(chown) }),
    src: `/${source}`,
    timestamp: -1,
  };
}

function ownerOf(chown: string): object {
  const [user = '', group] = chown.split(':');
  const one = (name: string): object => ({
    User: /^\d+$/.test(name) ? { byID: Number(name) } : { byName: { name } },
  });
  return { ...(group === undefined ? {} : { group: one(group) }), user: one(user) };
}
