import type { Dockerfile } from '../instruction.ts';
import type { RuleName } from '../lint-rules.ts';
import { casingOf, majorityCasing } from '../lint.ts';
import { keywordRange } from '../token-ranges.ts';
import type { Fix } from './fix.ts';
import { fixLegacyPair } from './legacy-pair.ts';
import { renameStage } from './rename-stage.ts';

/** The corrections that leave the number of lines. */
export const FIXES = {
  ConsistentInstructionCasing({ instruction, dockerfile, source }) {
    const { keyword } = instruction;
    const majority = majorityCasing(dockerfile);
    if (instruction.location.start.line < firstStage(dockerfile) || casingOf(keyword) === majority) return [];
    const cased = majority === 'lower' ? keyword.toLowerCase() : keyword.toUpperCase();
    return source.replace(keywordRange(instruction), keyword, cased);
  },
  FromAsCasing({ instruction, source }) {
    if (instruction.kind !== 'from' || instruction.asKeyword === undefined) return [];
    const { asKeyword, keyword } = instruction;
    const casing = casingOf(keyword);
    const { text, location } = asKeyword;
    const cased = casing === 'lower' ? text.toLowerCase() : text.toUpperCase();
    return casing === undefined || cased === text ? [] : source.replace(location, text, cased);
  },
  StageNameCasing: renameStage,
  LegacyKeyValueFormat: fixLegacyPair,
  ExposeProtoCasing({ instruction, source }) {
    if (instruction.kind !== 'expose') return [];
    return instruction.words.flatMap(({ text, location }) => {
      const [, port = '', protocol = ''] = /^([^/]*\/)([A-Za-z]+)$/.exec(text) ?? [];
      const cased = port + protocol.toLowerCase();
      return port === '' || cased === text ? [] : source.replace(location, text, cased);
    });
  },
  RedundantTargetPlatform({ instruction, dockerfile, source }) {
    if (instruction.kind !== 'from' || instruction.platform === undefined) return [];
    const { text, location } = instruction.platform;
    const isOwn = dockerfile.globalArgs.some(({ args }) => args.some(({ key }) => key.text === 'TARGETPLATFORM'));
    if (isOwn || !/^\$(?:TARGETPLATFORM|\{TARGETPLATFORM\})$/.test(text)) return [];
    const [start, end] = [source.offsetOf(location.start), source.offsetOf(location.end)];
    const blanks = /^[ \t]+(?=\S)/.exec(source.text.slice(end))?.[0] ?? '';
    if (!source.text.slice(0, start).endsWith(FLAG) || source.text.slice(start, end) !== text || blanks === '')
      return [];
    return [{ start: start - FLAG.length, end: end + blanks.length, text: '' }];
  },
} as const satisfies Partial<Record<RuleName, Fix>>;

/** Corrects empty continued lines. */
export const removeEmptyLines: Fix = ({ instruction: { emptyLines }, source }) =>
  emptyLines.map((line) => ({
    start: source.offsetOf({ line, column: 1 }),
    end: source.offsetOf({ line: line + 1, column: 1 }),
    text: '',
  }));

const FLAG = '--platform=';

function firstStage({ stages }: Dockerfile): number {
  return stages[0]?.from.location.start.line ?? 0;
}
