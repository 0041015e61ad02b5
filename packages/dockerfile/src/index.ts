export { detectSyntax } from './directives.ts';
export { expandWord, expandWords } from './expand-word.ts';
export type { ExpandOptions, Lookup } from './expand-word.ts';
export { parseDockerfile, parseInstruction } from './parse-dockerfile.ts';
export type {
  ArgInstruction,
  CommandInstruction,
  CommandLine,
  CopyInstruction,
  Directives,
  Dockerfile,
  FromInstruction,
  HealthcheckInstruction,
  Heredoc,
  Instruction,
  InstructionBase,
  InstructionKind,
  KeyValue,
  KeyValuesInstruction,
  LintWarning,
  ListInstruction,
  MountFlag,
  OnbuildInstruction,
  RunInstruction,
  ShellInstruction,
  SingleWordInstruction,
  Stage,
  StageInstruction,
  Word,
} from './instruction.ts';
