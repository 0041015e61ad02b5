import {
  checkOptionsFor,
  createWarning,
  isRuleEnabled,
  keywordRange,
  lintDockerfile,
  parseCheckOptions,
  ruleOf,
  type CheckOptions,
  type Dockerfile,
  type InstructionBase,
  type LintWarning,
  type RuleName,
} from '@tbuild/dockerfile';
import type { SourceRange } from '@tbuild/errors';
import { buildArg } from '../build-args.ts';
import { nearName } from '../near-name.ts';
import type { PlanOptions } from '../plan.ts';

/** Where a finding is: `token` is underlined, by default the keyword of the instruction. */
export interface FindingPlace {
  readonly instruction: InstructionBase;
  readonly token?: SourceRange;
}

/** Receives the findings of checks and drops those of skipped rules. */
export type Report = (rule: RuleName, message: string, place: FindingPlace) => void;

/** The reports of one plan. */
export interface Checks {
  readonly report: Report;
  /** All findings so far, including those of parsing, in the order of the file and without duplicates. */
  warnings(): readonly LintWarning[];
  /** The broken rules, if the file makes them fail the build. */
  violations(): readonly string[];
}

/**
 * Collects the findings of Docker's checks. The build argument BUILDKIT_DOCKERFILE_CHECK replaces the file's `# check=`
 * directive. Comments above an instruction skip rules for it.
 */
export function openChecks(
  dockerfile: Dockerfile,
  { buildArgs, onWarning }: Pick<PlanOptions, 'buildArgs' | 'onWarning'>,
): Checks {
  const given = givenCheckOptions(buildArgs);
  const options = given ?? parseCheckOptions(dockerfile.directives.check?.text ?? '');
  const found: LintWarning[] = given === undefined ? [...dockerfile.warnings] : lintDockerfile(dockerfile, given);
  const known = new Set(found.map(({ message, location }) => `${location.start.line} ${message}`));
  for (const warning of found) onWarning?.(warning);
  return {
    report(rule, message, { instruction, token = keywordRange(instruction) }) {
      if (!isRuleEnabled(ruleOf(rule), checkOptionsFor(instruction, options))) return;
      const line = instruction.location.start.line;
      const key = `${line} ${message}`;
      if (known.has(key)) return;
      known.add(key);
      const warning = createWarning(rule, message, { location: instruction.location, token });
      found.push(warning);
      onWarning?.(warning);
    },
    violations: () => (options.error ? [...new Set(found.map(({ rule }) => rule))].toSorted() : []),
    warnings: () => found.toSorted((a, b) => a.location.start.line - b.location.start.line),
  };
}

/** Returns the options in BUILDKIT_DOCKERFILE_CHECK, which replace the file's. @throws TbuildError DOCKERFILE_SYNTAX */
export function givenCheckOptions(buildArgs: Readonly<Record<string, string>>): CheckOptions | undefined {
  const written = buildArg(buildArgs, 'BUILDKIT_DOCKERFILE_CHECK');
  return written === undefined ? undefined : parseCheckOptions(written);
}

/** Returns the words that Docker adds for a name that is close to another. */
export function suggestion(name: string, candidates: Iterable<string>, prefix = ''): string {
  const near = nearName(name, candidates);
  return near === undefined ? '' : ` (did you mean ${prefix}${near}?)`;
}

const SECRET = new Set('apikey auth credential credentials key password psw pword passwd secret token'.split(' '));
const HARMLESS = new Set(['public', 'file', 'version']);

/** Returns whether a variable's name suggests a secret value. */
export function isSecretName(name: string): boolean {
  const words = name.toLowerCase().split('_');
  return words.some((word) => SECRET.has(word)) && !words.some((word) => HARMLESS.has(word));
}
