import type { StageInstruction } from '@tbuild/dockerfile';
import type { Report } from './checks.ts';

/** Reports instructions without effect because a later one of the same kind overrides them. */
export function checkRepeats(instructions: readonly StageInstruction[], report: Report): void {
  const last = new Map<string, StageInstruction>();
  for (const instruction of instructions) {
    const { kind, keyword } = instruction;
    if (kind !== 'cmd' && kind !== 'entrypoint' && kind !== 'healthcheck') continue;
    const earlier = last.get(kind);
    if (earlier !== undefined) {
      const message = `Multiple ${keyword} instructions should not be used in the same stage because only the last one will be used`;
      report('MultipleInstructionsDisallowed', message, { instruction: earlier });
    }
    last.set(kind, instruction);
  }
}
