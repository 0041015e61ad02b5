import { openContext } from '@tbuild/context';
import { parseDockerfile } from '@tbuild/dockerfile';
import { advise } from './advise.ts';
import { type CostPorts, type Costs, costsOf } from './costs.ts';
import type { Advice, ExplainedLine } from './explained.ts';
import { inputsOf } from './inputs.ts';

/** A Dockerfile on this machine and the directory that it is built from. */
export interface ExplainOptions {
  readonly text: string;
  /** The name that people read. */
  readonly name: string;
  /** The path relative to the context, whose own ignore file takes precedence. */
  readonly inContext?: string;
  readonly directory: string;
  readonly ports: CostPorts;
  readonly signal: AbortSignal;
}

export interface ExplainedDockerfile {
  readonly name: string;
  readonly lines: readonly ExplainedLine[];
  readonly advice: readonly Advice[];
  /** The last recorded build. */
  readonly build?: Costs['build'];
}

/**
 * Returns for each instruction what it cost, what makes it run again, and what would save time. Builds nothing.
 * @throws TbuildError DOCKERFILE_SYNTAX, CONTEXT
 */
export async function explainDockerfile(options: ExplainOptions): Promise<ExplainedDockerfile> {
  const { text, name, inContext, directory } = options;
  const dockerfile = parseDockerfile(text, name);
  const context = openContext(directory, { dockerfile: inContext });
  const costs = await costsOf(dockerfile, options);
  const lines = dockerfile.stages.flatMap((stage) =>
    [stage.from, ...stage.instructions].map((instruction) => {
      const line = instruction.location.start.line;
      return {
        line,
        stage,
        instruction,
        inputs: inputsOf(instruction, { dockerfile, stage, context }),
        cost: costs.at(line),
      };
    }),
  );
  return { name, lines, advice: advise(dockerfile, context), build: costs.build };
}
