export { checkOptionsFor, isRuleEnabled, parseCheckOptions } from './check-options.ts';
export type { CheckOptions } from './check-options.ts';
export { detectSyntax } from './directives.ts';
export { expandWord, expandWords } from './expand-word.ts';
export type { ExpandOptions, Lookup } from './expand-word.ts';
export { lintDockerfile } from './lint.ts';
export { createWarning, describeRule, isRuleName, ruleNames, ruleOf } from './lint-rules.ts';
export type { RuleName } from './lint-rules.ts';
export { expandMount } from './instructions/mount.ts';
export { keywordRange } from './token-ranges.ts';
export { lintBeforeError, parseDockerfile, parseInstruction } from './parse-dockerfile.ts';
export type {
  ArgInstruction,
  CommandInstruction,
  CommandLine,
  CopyInstruction,
  Dockerfile,
  FromInstruction,
  HealthcheckInstruction,
  Heredoc,
  Instruction,
  InstructionBase,
  KeyValue,
  KeyValuesInstruction,
  LintWarning,
  ListInstruction,
  MountFlag,
  MountType,
  OnbuildInstruction,
  RunInstruction,
  ShellInstruction,
  SingleWordInstruction,
  Stage,
  StageInstruction,
  Word,
} from './instruction.ts';
