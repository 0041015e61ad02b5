import { locate, type SourceRange } from '@tbuild/errors';
import {
  type CheckOptions,
  checkOptionsFor,
  DEFAULT_CHECK_OPTIONS,
  isRuleEnabled,
  parseCheckOptions,
} from './check-options.ts';
import type { Dockerfile, FromInstruction, Instruction, LintWarning, Stage } from './instruction.ts';
import { shapeOf } from './instructions/table.ts';
import { type RuleName, createWarning, ruleOf } from './lint-rules.ts';
import { keywordRange } from './token-ranges.ts';

interface Finding {
  readonly rule: RuleName;
  readonly message: string;
  readonly instruction: Instruction;
  readonly location?: SourceRange;
  /** The part to underline; the keyword by default. */
  readonly token?: SourceRange;
}

type Check = (dockerfile: Pick<Dockerfile, 'globalArgs' | 'stages'>) => Finding[];

/** In the order in which Docker reports. */
const CHECKS: readonly Check[] = [
  (dockerfile) => allInstructions(dockerfile).flatMap(checkContinuation),
  (dockerfile) => allInstructions(dockerfile).flatMap(checkInstruction),
  checkInstructionCasing,
  ({ stages }) => checkStageNames(stages),
];

/**
 * Returns the warnings that need only the text, in Docker's order, including stages that no build needs. `options` replace
 * those of the file's `# check=` directive. A comment above an instruction (`# check=skip=Rule`) skips rules there.
 */
export function lintDockerfile(
  dockerfile: Pick<Dockerfile, 'directives' | 'globalArgs' | 'stages'>,
  options: CheckOptions = directiveOptions(dockerfile.directives),
): LintWarning[] {
  return toWarnings(
    CHECKS.flatMap((check) => check(dockerfile)),
    options,
  );
}

/**
 * Returns the warnings before the place where parsing failed. Only single instructions are checked, since the rest of
 * the file is unknown.
 */
export function lintInstructions(
  instructions: readonly Instruction[],
  directives: Dockerfile['directives'],
  options: CheckOptions = directiveOptions(directives),
): LintWarning[] {
  return toWarnings([...instructions.flatMap(checkContinuation), ...instructions.flatMap(checkInstruction)], options);
}

function toWarnings(findings: readonly Finding[], options: CheckOptions): LintWarning[] {
  return findings
    .filter(({ rule, instruction }) => isRuleEnabled(ruleOf(rule), checkOptionsFor(instruction, options)))
    .map(({ rule, message, instruction, location = instruction.location, token }) =>
      createWarning(rule, message, { location, token: token ?? keywordRange(instruction) }),
    );
}

/**
 * Returns the options of the `# check=` directive.
 * @throws TbuildError DOCKERFILE_SYNTAX
 */
export function directiveOptions({ check }: Dockerfile['directives']): CheckOptions {
  if (check === undefined) return DEFAULT_CHECK_OPTIONS;
  try {
    return parseCheckOptions(check.text);
  } catch (error) {
    throw locate(error, check.location);
  }
}

function allInstructions({ globalArgs, stages }: Pick<Dockerfile, 'globalArgs' | 'stages'>): Instruction[] {
  return [...globalArgs, ...stages.flatMap((stage) => [stage.from, ...stage.instructions])];
}

function checkContinuation(instruction: Instruction): Finding[] {
  if (instruction.emptyLines.length === 0) return [];
  const location = lastLineOf(instruction);
  const message = 'Empty continuation line';
  return [{ rule: 'NoEmptyContinuation', message, instruction, location, token: emptyLineOf(instruction) }];
}

function checkInstruction(instruction: Instruction): Finding[] {
  const findings: Finding[] = [];
  if (instruction.kind === 'from') findings.push(...checkFrom(instruction));
  if (instruction.kind === 'from' || instruction.kind === 'arg') findings.push(...checkDescription(instruction));
  if (instruction.kind === 'maintainer') {
    const message = 'Maintainer instruction is deprecated in favor of using label';
    findings.push({ rule: 'MaintainerDeprecated', message, instruction });
  }
  return findings;
}

/** Docker reports an empty continuation at the end of the continued line. */
function lastLineOf(instruction: Instruction): SourceRange {
  const { file, end } = instruction.location;
  const heredoc = 'heredocs' in instruction ? instruction.heredocs[0] : undefined;
  const line = heredoc === undefined ? end.line : heredoc.location.start.line - 1;
  return { file, start: { line, column: 1 }, end: heredoc === undefined ? end : heredoc.location.start };
}

function emptyLineOf({ emptyLines, location: { file } }: Instruction): SourceRange {
  const line = emptyLines[0] ?? 1;
  return { file, start: { line, column: 1 }, end: { line, column: 1 } };
}

function checkFrom(from: FromInstruction): Finding[] {
  const findings: Finding[] = [];
  const { name, nameAsWritten, asKeyword, keyword } = from;
  if (nameAsWritten === undefined || asKeyword === undefined) return findings;
  if (nameAsWritten.text !== name) {
    const message = `Stage name '${nameAsWritten.text}' should be lowercase`;
    findings.push({ rule: 'StageNameCasing', message, instruction: from, token: nameAsWritten.location });
  }
  const casing = casingOf(keyword);
  const expected = casing === 'lower' ? asKeyword.text.toLowerCase() : asKeyword.text.toUpperCase();
  if (casing !== undefined && asKeyword.text !== expected) {
    const message = `'${asKeyword.text}' and '${keyword}' keywords' casing do not match`;
    findings.push({ rule: 'FromAsCasing', message, instruction: from, token: asKeyword.location });
  }
  return findings;
}

function checkDescription(instruction: Extract<Instruction, { kind: 'from' | 'arg' }>): Finding[] {
  const named = instruction.kind === 'arg' ? instruction.args.map(({ key }) => key.text) : [instruction.name ?? ''];
  const names = named.filter((name) => name !== '');
  const comment = instruction.comments.filter((text) => !/^check\s*=/i.test(text)).at(-1);
  if (comment === undefined || names.length === 0 || names.includes(comment.split(' ')[0] ?? '')) return [];
  const example = names.length > 1 ? '<arg_key>' : names[0];
  const message = `Comment for ${instruction.keyword} should follow the format: \`# ${example} <description>\``;
  return [{ rule: 'InvalidDefinitionDescription', message, instruction }];
}

/** Returns the casing that most keywords of stages have. */
export function majorityCasing({ stages }: Pick<Dockerfile, 'stages'>): 'lower' | 'upper' {
  const casings = stages.flatMap(({ from, instructions }) =>
    [from, ...instructions].map(({ keyword }) => casingOf(keyword)),
  );
  const count = (wanted: string): number => casings.filter((casing) => casing === wanted).length;
  return count('lower') > count('upper') ? 'lower' : 'upper';
}

function checkInstructionCasing({ stages }: Pick<Dockerfile, 'stages'>): Finding[] {
  const majority = majorityCasing({ stages });
  const findings: Finding[] = [];
  for (const instruction of stages.flatMap((stage) => [stage.from, ...stage.instructions])) {
    if (casingOf(instruction.keyword) === majority) continue;
    const command = `Command '${instruction.keyword}'`;
    const message = `${command} should match the case of the command majority (${majority}case)`;
    findings.push({ rule: 'ConsistentInstructionCasing', message, instruction });
  }
  return findings;
}

/** Returns the casing of a keyword; undefined if it is mixed. */
export function casingOf(keyword: string): 'lower' | 'upper' | undefined {
  if (shapeOf(keyword) !== undefined) return 'upper';
  if (keyword === keyword.toLowerCase()) return 'lower';
  return keyword === keyword.toUpperCase() ? 'upper' : undefined;
}

function checkStageNames(stages: readonly Stage[]): Finding[] {
  const seen = new Set<string>();
  const findings: Finding[] = [];
  for (const { name, from: instruction } of stages) {
    if (name === undefined) continue;
    if (name === 'context' || name === 'scratch') {
      const message = `Stage name should not use the same name as reserved stage "${name}"`;
      findings.push({ rule: 'ReservedStageName', message, instruction, token: instruction.nameAsWritten?.location });
    }
    if (seen.has(name)) {
      const message = `Duplicate stage name "${name}", stage names should be unique`;
      findings.push({ rule: 'DuplicateStageName', message, instruction, token: instruction.nameAsWritten?.location });
    }
    seen.add(name);
  }
  return findings;
}
