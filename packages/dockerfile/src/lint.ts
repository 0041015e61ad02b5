import { locate } from '@tbuild/errors';
import type { SourceRange } from '@tbuild/errors';
import type { CheckOptions } from './check-options.ts';
import { checkOptionsFor, DEFAULT_CHECK_OPTIONS, isRuleEnabled, parseCheckOptions } from './check-options.ts';
import type { Dockerfile, FromInstruction, Instruction, LintWarning, Stage } from './instruction.ts';
import type { RuleName } from './lint-rules.ts';
import { createWarning, ruleOf } from './lint-rules.ts';

interface Finding {
  readonly rule: RuleName;
  readonly message: string;
  readonly instruction: Instruction;
  readonly location?: SourceRange;
}

type Check = (dockerfile: Pick<Dockerfile, 'globalArgs' | 'stages'>) => Finding[];

const CHECKS: readonly Check[] = [
  (dockerfile) => allInstructions(dockerfile).flatMap(checkInstruction),
  checkInstructionCasing,
  ({ stages }) => checkStageNames(stages),
  ({ stages }) => stages.flatMap(checkRepeats),
  ({ stages }) => checkJsonArgs(stages),
];

/**
 * What parsing alone can warn about, in the order of the file. `options` replace those of the file's
 * `# check=` directive. Comments above an instruction (`# check=skip=Rule`) silence rules for it.
 */
export function lintDockerfile(
  dockerfile: Pick<Dockerfile, 'directives' | 'globalArgs' | 'stages'>,
  options: CheckOptions = directiveOptions(dockerfile.directives),
): LintWarning[] {
  return CHECKS.flatMap((check) => check(dockerfile))
    .filter(({ rule, instruction }) => isRuleEnabled(ruleOf(rule), checkOptionsFor(instruction, options)))
    .map(({ rule, message, instruction, location }) => createWarning(rule, message, location ?? instruction.location))
    .sort((a, b) => a.location.start.line - b.location.start.line);
}

function directiveOptions({ check }: Dockerfile['directives']): CheckOptions {
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

function checkInstruction(instruction: Instruction): Finding[] {
  const findings: Finding[] = [];
  if (instruction.emptyLines.length > 0) {
    const location = lastLineOf(instruction);
    findings.push({ rule: 'NoEmptyContinuation', message: 'Empty continuation line', instruction, location });
  }
  if (instruction.kind === 'from') findings.push(...checkFrom(instruction));
  if (instruction.kind === 'from' || instruction.kind === 'arg') findings.push(...checkDescription(instruction));
  if (instruction.kind === 'maintainer') {
    const message = 'Maintainer instruction is deprecated in favor of using label';
    findings.push({ rule: 'MaintainerDeprecated', message, instruction });
  }
  if ((instruction.kind === 'env' || instruction.kind === 'label') && instruction.legacy) {
    const name = instruction.kind.toUpperCase();
    const message = `"${name} key=value" should be used instead of legacy "${name} key value" format`;
    findings.push({ rule: 'LegacyKeyValueFormat', message, instruction });
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

function checkFrom(from: FromInstruction): Finding[] {
  const findings: Finding[] = [];
  const { nameAsWritten, asKeyword, keyword } = from;
  if (nameAsWritten === undefined || asKeyword === undefined) return findings;
  if (nameAsWritten !== nameAsWritten.toLowerCase()) {
    const message = `Stage name '${nameAsWritten}' should be lowercase`;
    findings.push({ rule: 'StageNameCasing', message, instruction: from });
  }
  const casing = casingOf(keyword);
  const expected = casing === 'lower' ? asKeyword.toLowerCase() : asKeyword.toUpperCase();
  if (casing !== undefined && asKeyword !== expected) {
    const message = `'${asKeyword}' and '${keyword}' keywords' casing do not match`;
    findings.push({ rule: 'FromAsCasing', message, instruction: from });
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

function checkInstructionCasing({ stages }: Pick<Dockerfile, 'stages'>): Finding[] {
  const instructions = stages.flatMap((stage) => [stage.from, ...stage.instructions]);
  const casings = instructions.map(({ keyword }) => casingOf(keyword));
  const lower = casings.filter((casing) => casing === 'lower').length;
  const upper = casings.filter((casing) => casing === 'upper').length;
  const majority = lower > upper ? 'lower' : 'upper';
  return instructions.flatMap((instruction, index) => {
    if (casings[index] === majority) return [];
    const command = `Command '${instruction.keyword}'`;
    const message = `${command} should match the case of the command majority (${majority}case)`;
    return [{ rule: 'ConsistentInstructionCasing', message, instruction }];
  });
}

function casingOf(keyword: string): 'lower' | 'upper' | undefined {
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
      findings.push({ rule: 'ReservedStageName', message, instruction });
    }
    if (seen.has(name)) {
      const message = `Duplicate stage name "${name}", stage names should be unique`;
      findings.push({ rule: 'DuplicateStageName', message, instruction });
    }
    seen.add(name);
  }
  return findings;
}

/** Points at the earlier of two, which is the one without effect. */
function checkRepeats(stage: Stage): Finding[] {
  const last = new Map<string, Instruction>();
  const findings: Finding[] = [];
  for (const instruction of stage.instructions) {
    const { kind, keyword } = instruction;
    if (kind !== 'cmd' && kind !== 'entrypoint' && kind !== 'healthcheck') continue;
    const earlier = last.get(kind);
    if (earlier !== undefined) {
      const message = `Multiple ${keyword} instructions should not be used in the same stage because only the last one will be used`;
      findings.push({ rule: 'MultipleInstructionsDisallowed', message, instruction: earlier });
    }
    last.set(kind, instruction);
  }
  return findings;
}

/** Shell forms under the default shell. That a base image has a shell of its own is not seen here. */
function checkJsonArgs(stages: readonly Stage[]): Finding[] {
  const findings: Finding[] = [];
  const withShell = new Set<string>();
  for (const stage of stages) {
    let hasShell = withShell.has(stage.from.image.text.toLowerCase());
    for (const instruction of stage.instructions) {
      if (instruction.kind === 'shell') hasShell = true;
      if (hasShell || (instruction.kind !== 'cmd' && instruction.kind !== 'entrypoint')) continue;
      if (instruction.command.form === 'exec') continue;
      const subject = `JSON arguments recommended for ${instruction.keyword}`;
      const message = `${subject} to prevent unintended behavior related to OS signals`;
      findings.push({ rule: 'JSONArgsRecommended', message, instruction });
    }
    if (stage.name === undefined) continue;
    if (hasShell) withShell.add(stage.name);
    else withShell.delete(stage.name);
  }
  return findings;
}
