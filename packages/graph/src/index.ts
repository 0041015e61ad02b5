export { GraphBuilder, graphOf, joinGraphs, nameWithin } from './graph.ts';
export type { Graph, GraphTarget, SourceAdvice, Step } from './graph.ts';
export { resultId, stepKey } from './ids.ts';
export type { ResultId, StepId, StepKey } from './ids.ts';
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
  RunDevice,
  RunMount,
  RunOp,
  StepOp,
} from './step-op.ts';
