import type { BuildContext } from '@tbuild/context';
import type { CopyInstruction, Dockerfile, RunInstruction, Stage, StageInstruction } from '@tbuild/dockerfile';
import { formatBytes } from '@tbuild/tui';
import { type Advice, commandsOf, countedFiles } from './explained.ts';
import { pathsIn, selectedFiles } from './inputs.ts';
import { installationOf, isInstaller, usesInstaller } from './installers.ts';

/** A stage and what rules look at besides. */
interface Place {
  readonly stage: Stage;
  readonly dockerfile: Dockerfile;
  readonly context: BuildContext;
  /** Whether the last stage has the layers of this one. */
  readonly isShipped: boolean;
}

/** Finds what would save time or space in one stage. */
type Rule = (place: Place) => readonly Omit<Advice, 'rule'>[];

/** Returns advice where it certainly holds; none for a Dockerfile that is in order. */
export function advise(dockerfile: Dockerfile, context: BuildContext): readonly Advice[] {
  const shipped = shippedStages(dockerfile);
  return dockerfile.stages
    .flatMap((stage) => {
      const place = { stage, dockerfile, context, isShipped: shipped.has(stage) };
      return Object.entries(RULES).flatMap(([rule, find]) => find(place).map((found) => ({ ...found, rule })));
    })
    .toSorted((a, b) => a.line - b.line);
}

function shippedStages({ stages }: Dockerfile): ReadonlySet<Stage> {
  const shipped = new Set<Stage>();
  for (let stage = stages.at(-1); stage !== undefined;) {
    shipped.add(stage);
    const base = stage.from.image.text.toLowerCase();
    const earlier = stages.slice(0, stage.index);
    stage = earlier.findLast(({ name }) => name === base);
  }
  return shipped;
}

const lineOf = ({ location }: StageInstruction): number => location.start.line;

const RULES: Readonly<Record<string, Rule>> = {
  /** Dependencies are installed after all files were copied: any change installs them again. */
  'manifests-first': ({ stage: { instructions }, context }) => {
    const run = instructions.find((one) => one.kind === 'run' && commandsOf(one).some(usesInstaller));
    const copy = run && instructions.slice(0, instructions.indexOf(run)).findLast(isContextCopy);
    const source = copy === undefined ? undefined : directoryIn(copy);
    if (run?.kind !== 'run' || copy === undefined || source === undefined) return [];
    const between = instructions.slice(instructions.indexOf(copy) + 1, instructions.indexOf(run));
    const first = commandsOf(run).find(([program = '']) => !/^(?:set|corepack)$/.test(program));
    const installation =
      first !== undefined && between.every((one) => leavesFiles(one, copy))
        ? installationOf(first, context, source)
        : undefined;
    const selected = selectedFiles(
      copy.sources.map(({ text }) => text),
      {},
      context,
    );
    const count = selected === undefined ? 0 : [...pathsIn(selected)].length;
    if (installation === undefined || count <= installation.manifests.length) return [];
    const { manifests, command } = installation;
    const message = `Copy ${listed(manifests)} before this line and run "${command}" between the two: as it is, a change in any of ${count} files runs line ${lineOf(run)} again`;
    return [{ line: lineOf(copy), message }];
  },
  /** An argument with a new value in each build stands above installations, which do not use it. */
  'argument-late': ({ stage: { instructions } }) =>
    instructions.flatMap((instruction, at) => {
      if (instruction.kind !== 'arg') return [];
      return instruction.args.flatMap(({ key: { text: name } }) => {
        const below = instructions.slice(at + 1);
        const end = below.findIndex((one) => mentions(one, name) || (one.kind === 'run' && !isInstallation(one)));
        const last = below.slice(0, end < 0 ? undefined : end).findLast((one) => one.kind === 'run');
        if (!VOLATILE.test(name) || last === undefined) return [];
        const message = `Move ARG ${name} below line ${lineOf(last)}, which does not use it: each new value runs that line again`;
        return [{ line: lineOf(instruction), message }];
      });
    }),
  /** The lists of packages stay in a layer of the image. */
  'package-lists': ({ stage: { instructions }, isShipped }) =>
    instructions.flatMap((one) => {
      if (one.kind !== 'run' || !isShipped || !updates(one) || !installsPackages(one)) return [];
      const { text } = one;
      const isMounted = one.mounts.some(({ options: { target = '' } }) => /^\/var(?:\/lib(?:\/apt.*)?)?$/.test(target));
      if (isMounted || /\/var\/lib\/(?:apt|[{*])|\bapt(?:-get)? (?:-\S+ )*dist-?clean/.test(text)) return [];
      const message = 'Remove the package lists in the same RUN (rm -rf /var/lib/apt/lists/*): they stay in this layer';
      return [{ line: lineOf(one), message }];
    }),
  /** A cached update gives old lists to a new installation. */
  'update-with-install': ({ stage: { instructions } }) => {
    const at = instructions.findIndex((one) => one.kind === 'run' && updates(one) && !installsPackages(one));
    const later = instructions
      .slice(at + 1)
      .find((one) => one.kind === 'run' && installsPackages(one) && !updates(one));
    const update = instructions[at];
    if (update === undefined || later === undefined) return [];
    const message = `Join this line and line ${lineOf(later)} in one RUN: once this one is cached, packages come from old lists`;
    return [{ line: lineOf(update), message }];
  },
  /** Packages of the system are installed after all files were copied. */
  'packages-first': ({ stage: { instructions } }) =>
    instructions.flatMap((run, at) => {
      if (run.kind !== 'run' || !isPackagesOnly(run)) return [];
      const above = instructions.slice(0, at);
      const first = above.findLastIndex((one) => !['copy', 'workdir', 'label', 'expose'].includes(one.kind)) + 1;
      const copies = above.slice(first).flatMap((one) => (one.kind === 'copy' ? [one] : []));
      const copy = copies.find((one) => isContextCopy(one) && directoryIn(one) === '');
      if (copy === undefined || copies.some(({ destination }) => OF_SYSTEM.test(destination.text))) return [];
      const message = `Move this line above line ${lineOf(copy)}: packages need no files of the context, and a change in any of them runs it again`;
      return [{ line: lineOf(run), message }];
    }),
  /** The history of git, or installed packages, are copied. */
  ignored: ({ stage: { instructions }, context }) =>
    instructions.flatMap((copy, at) => {
      if (!isContextCopy(copy) || directoryIn(copy) !== '') return [];
      const runs = instructions.filter((one) => one.kind === 'run');
      const usesGit = instructions.slice(at).some((one) => one.kind === 'run' && !isWithoutGit(one));
      const isInstalled = runs.some((one) =>
        commandsOf(one).some((words) => /^(?:npm|yarn|pnpm)$/.test(words[0] ?? '') && isInstaller(words)),
      );
      return [
        ...(usesGit ? [] : ignore('.git', 'each commit changes it', { copy, context })),
        ...(isInstalled ? ignore('node_modules', 'the image installs its own', { copy, context }) : []),
      ];
    }),
};

/** Where files may configure the installation of packages. */
const OF_SYSTEM = /^\/(?:(?:etc|lib|root|usr|var)?\/?$|(?:etc|lib|root)\/|usr\/(?!src\/)|var\/(?!www\/))/;

/** Names of arguments that usually differ from build to build. */
const VOLATILE =
  /(?:^|_)(?:commit|sha|revision|git_?ref|timestamp|build_?(?:date|time|id|number|no))(?:$|_)|^(?:app_|release_)?version$/i;

/** Returns whether an instruction after a COPY neither changes files of it nor leads to another directory. */
function leavesFiles(instruction: StageInstruction, { destination }: CopyInstruction): boolean {
  if (instruction.kind === 'workdir') return withoutSlash(instruction.value.text) === withoutSlash(destination.text);
  if (instruction.kind === 'run') return isPackagesOnly(instruction);
  return instruction.kind !== 'copy' && instruction.kind !== 'add';
}

function withoutSlash(path: string): string {
  return path.replace(/(?<=.)\/+$/, '');
}

function mentions({ text }: StageInstruction, name: string): boolean {
  return new RegExp(`\\b${name.replace(/\W/g, '\\$&')}\\b`).test(text);
}

function isContextCopy(instruction: StageInstruction): instruction is CopyInstruction {
  return instruction.kind === 'copy' && instruction.from === undefined && instruction.sources.length > 0;
}

/** Returns the directory that a COPY has as its only source, with a slash behind it; the context is "". */
function directoryIn({ sources: [source, ...more] }: CopyInstruction): string | undefined {
  if (source === undefined || more.length > 0 || /[$*?[\\]/.test(source.text)) return undefined;
  const path = source.text.replace(/^(?:\.?\/)+|^\.$/, '').replace(/\/+$/, '');
  return path === '' ? '' : `${path}/`;
}

const isApt = (words: readonly string[], verb: string): boolean =>
  /^apt(?:-get)?$/.test(words[0] ?? '') && words.slice(1).find((word) => !word.startsWith('-')) === verb;

function updates(run: RunInstruction): boolean {
  return commandsOf(run).some((words) => isApt(words, 'update'));
}

function installsPackages(run: RunInstruction): boolean {
  return commandsOf(run).some((words) => isApt(words, 'install'));
}

/** Returns whether a RUN does nothing but install packages by their names. */
function isPackagesOnly(run: RunInstruction): boolean {
  const commands = commandsOf(run).filter(
    ([first, second]) => !(first === 'rm' && second === '-rf') && first !== 'set',
  );
  return (
    run.mounts.every(({ type }) => type === 'cache') &&
    commands.some(([first]) => /^(?:apt|apt-get|apk|dnf|yum|microdnf)$/.test(first ?? '')) &&
    commands.every(
      ([first = '', ...words]) =>
        /^(?:apt|apt-get|apk|dnf|yum|microdnf)$/.test(first) && words.every((word) => /^[-\w.+:=~]+$/.test(word)),
    )
  );
}

/** Returns whether a RUN does nothing but install packages or what manifests name. */
function isInstallation(run: RunInstruction): boolean {
  return isPackagesOnly(run) || commandsOf(run).every(isInstaller);
}

/** Returns whether the commands of a RUN are known not to look at the repository. */
function isWithoutGit(run: RunInstruction): boolean {
  return commandsOf(run).every((words) => /^(?:npm|yarn|pnpm)$/.test(words[0] ?? '') && isInstaller(words));
}

function ignore(
  name: string,
  why: string,
  { copy, context }: { readonly copy: CopyInstruction; readonly context: BuildContext },
): readonly Omit<Advice, 'rule'>[] {
  if (context.tree.stat(name) === undefined) return [];
  const selected = selectedFiles([name], {}, context) ?? [];
  const files = [...pathsIn(selected)];
  if (files.length === 0 || copy.exclude.length > 0) return [];
  const size = formatBytes(files.reduce((sum, { bytes }) => sum + bytes, 0));
  return [
    {
      line: lineOf(copy),
      message: `Add ${name} to .dockerignore: this line copies it (${countedFiles(files.length)}, ${size}), and ${why}`,
    },
  ];
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
