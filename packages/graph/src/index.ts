export { GraphBuilder } from './graph.ts';
export type { Graph, Step, StepId } from './graph.ts';
export type {
  CopyOp,
  CopySelection,
  FileSource,
  GitOp,
  HttpOp,
  ImageOp,
  ImageSource,
  InlineFile,
  MkdirOp,
  ModeChange,
  RunMount,
  RunOp,
  StackOp,
  StepOp,
  UserSpec,
} from './step-op.ts';
