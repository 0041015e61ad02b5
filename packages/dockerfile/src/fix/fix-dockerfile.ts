import { hasCode } from '@tbuild/errors';
import { type CheckOptions, checkOptionsFor, isRuleEnabled } from '../check-options.ts';
import type { Dockerfile, Instruction } from '../instruction.ts';
import { type RuleName, ruleOf } from '../lint-rules.ts';
import { directiveOptions } from '../lint.ts';
import { parseDockerfile } from '../parse-dockerfile.ts';
import type { Fix } from './fix.ts';
import { FIXES, removeEmptyLines } from './fixes.ts';
import { applyEdits, editableText } from './text-edits.ts';

/** A finding that was corrected: its rule, and the line of its instruction. */
export interface Fixed {
  readonly rule: RuleName;
  readonly line: number;
}

/** A corrected text and what was corrected. */
export interface FixedDockerfile {
  readonly text: string;
  readonly fixed: readonly Fixed[];
}

/**
 * Corrects the findings of checks that have a correction which changes nothing of what is built. `options` replace those
 * of the file's `# check=` directive.
 *
 * @throws TbuildError DOCKERFILE_SYNTAX for a text that cannot be parsed.
 */
export function fixDockerfile(text: string, file?: string, options?: CheckOptions): FixedDockerfile {
  let current: FixedDockerfile = { text, fixed: [] };
  // A correction may lead to another: AS follows FROM. Lines keep their numbers until the last one.
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const next = applyFixes(current, FIXES, { file, options });
    if (next === current) break;
    current = next;
  }
  const { fixed, ...last } = applyFixes(current, { NoEmptyContinuation: removeEmptyLines }, { file, options });
  return { ...last, fixed: fixed.toSorted((a, b) => a.line - b.line) };
}

const MOST_ROUNDS = 4;

/** Returns whether findings of a rule have a correction. */
export function isFixable(rule: RuleName): boolean {
  return rule === 'NoEmptyContinuation' || Object.hasOwn(FIXES, rule);
}

function applyFixes(
  before: FixedDockerfile,
  fixes: Readonly<Partial<Record<RuleName, Fix>>>,
  { file, options }: { readonly file: string | undefined; readonly options: CheckOptions | undefined },
): FixedDockerfile {
  const dockerfile = parseDockerfile(before.text, file);
  const given = options ?? directiveOptions(dockerfile.directives);
  const source = editableText(before.text);
  const done = instructionsOf(dockerfile).flatMap((instruction) =>
    Object.entries(fixes).flatMap(([name, fix]) => {
      const rule = name as RuleName;
      if (!isRuleEnabled(ruleOf(rule), checkOptionsFor(instruction, given))) return [];
      const edits = fix({ instruction, dockerfile, source });
      return edits.length === 0 ? [] : [{ rule, line: instruction.location.start.line, edits }];
    }),
  );
  if (done.length === 0) return before;
  const text = applyEdits(
    before.text,
    done.flatMap(({ edits }) => edits),
  );
  if (!hasSameInstructions(text, dockerfile)) return before;
  return { text, fixed: [...before.fixed, ...done.map(({ rule, line }) => ({ rule, line }))] };
}

function instructionsOf({ globalArgs, stages }: Dockerfile): readonly Instruction[] {
  return [...globalArgs, ...stages.flatMap(({ from, instructions }) => [from, ...instructions])];
}

/** Returns whether a text parses to as many instructions of the same kinds. */
function hasSameInstructions(text: string, dockerfile: Dockerfile): boolean {
  const kinds = (all: Dockerfile): string =>
    instructionsOf(all)
      .map(({ kind }) => kind)
      .join();
  try {
    return kinds(parseDockerfile(text, dockerfile.file)) === kinds(dockerfile);
  } catch (error) {
    if (hasCode(error, 'DOCKERFILE_SYNTAX')) return false;
    throw error;
  }
}
