import {
  checkBuild,
  listBuildTargets,
  outlineBuild,
  type BuildRequest,
  type CallRun,
  type CheckReport,
  type Services,
} from '@tbuild/builder';
import type { TbuildError } from '@tbuild/errors';
import type { Environment } from '../../config/environment.ts';
import { CHECK_FORMATS, type CallSpec } from './call-spec.ts';
import { formatCheck } from './check-formats.ts';
import { checkJson, checkText } from './check-report.ts';
import { describeJson, describeText } from './describe-report.ts';
import { outlineJson, outlineText } from './outline-report.ts';
import { repositoryPath } from './repository-path.ts';
import { targetsJson, targetsText } from './targets-report.ts';

/** The output of a call and its exit code. */
export interface CallResult {
  readonly output: string;
  readonly exitCode: number;
  /** An error to report after the output; the program fails whatever the exit code. */
  readonly error?: TbuildError;
}

/**
 * Answers a call.
 * @throws TbuildError for errors of planning, except for `check`, which reports them.
 */
export function runCall(spec: CallSpec, request: BuildRequest, context: CallContext): Promise<CallResult> {
  return ANSWERS[spec.name](spec, request, context);
}

export interface CallContext {
  readonly services: Services;
  readonly run: CallRun;
  readonly env: Environment;
}

type Answer = (spec: CallSpec, request: BuildRequest, context: CallContext) => Promise<CallResult>;

const ANSWERS: Readonly<Record<CallSpec['name'], Answer>> = {
  async check({ format, ignoreStatus }, request, { services, run, env }) {
    const report = await checkBuild(request, services, run);
    const { warnings, error } = report;
    const { columns } = env.stdout;
    const pathOf = () => repositoryPath(request, report.source.name, env);
    const output = checkOutput(format, report, { columns, pathOf });
    return {
      output,
      exitCode: warnings.length > 0 && !ignoreStatus ? 1 : 0,
      ...(error === undefined ? {} : { error }),
    };
  },
  async outline({ format }, request, { services, run }) {
    const report = await outlineBuild(request, services, run);
    return { output: format === 'json' ? print(outlineJson(report)) : outlineText(report), exitCode: 0 };
  },
  async targets({ format }, request, { services, run }) {
    const report = await listBuildTargets(request, services, run);
    return { output: format === 'json' ? print(targetsJson(report)) : targetsText(report), exitCode: 0 };
  },
  async 'subrequests.describe'({ format }) {
    return { output: format === 'json' ? print(describeJson()) : describeText(), exitCode: 0 };
  },
};

function checkOutput(
  format: CallSpec['format'],
  report: CheckReport,
  { columns, pathOf }: { readonly columns?: number; pathOf(): string },
): string {
  const other = CHECK_FORMATS.find((one) => one === format);
  if (other !== undefined) return formatCheck(other, report, pathOf());
  return format === 'json' ? print(checkJson(report)) : checkText(report, columns);
}

function print(document: object): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}
