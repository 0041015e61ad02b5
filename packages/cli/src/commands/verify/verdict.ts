import type { Platform } from '@tbuild/oci';
import { ignoreDifferences, type ImageComparison, type NormalisedComparison, type Places } from '@tbuild/verify';
import type { StoreCall } from '../store-command.ts';
import { printComparison } from './print-comparison.ts';
import type { verifyFlags } from './verify-flags.ts';

/** A call of the command, with what it works on. */
export interface VerifyRun extends StoreCall<typeof verifyFlags> {
  readonly places: Places;
  /** The platforms of `--platform`; undefined for all that an image has. */
  readonly platforms?: readonly Platform[];
  /** Is removed afterwards. */
  readonly directory: string;
}

/** An image could not be built again or read, so nothing is known about it. */
export const NOT_COMPARED = 3;

/** What was found out about the image of one platform. */
export interface Verdict {
  readonly platform: string;
  /** Whether the images are equal in every respect. */
  readonly equal: boolean;
  /** 0 if the images are equal, apart from what is ignored, and 1 otherwise. */
  readonly exitCode: number;
  /** For people. */
  readonly text: string;
  /** For programs. */
  readonly document: object;
  /** What differs, without what is ignored; undefined if nothing was compared. */
  readonly comparison?: NormalisedComparison['comparison'];
}

/** Judges a comparison by the options of the call. */
export function verdictOn(
  comparison: ImageComparison,
  { flags }: Pick<VerifyRun, 'flags'>,
  {
    platform,
    notes,
    ...about
  }: { readonly platform: string; readonly notes: readonly string[]; readonly rebuilt?: true },
): Verdict {
  const ignored = { times: flags['ignore-times'] === true, paths: flags.ignore ?? [] };
  const isNormalised = ignored.times || ignored.paths.length > 0;
  const { equal, ignored: count, comparison: left } = ignoreDifferences(comparison, ignored);
  const shown =
    isNormalised && equal && !comparison.equal
      ? `Equal apart from ${count} ignored ${count === 1 ? 'difference' : 'differences'}\n`
      : printComparison(isNormalised ? left : comparison);
  return {
    platform,
    comparison: left,
    equal: comparison.equal,
    exitCode: (isNormalised ? equal : comparison.equal) ? 0 : 1,
    text: `${notes.map((note) => `Note: ${note}\n`).join('')}${shown}`,
    document: {
      ...about,
      notes,
      ...comparison,
      ...(isNormalised ? { normalised: { equal, ignored: count } } : {}),
    },
  };
}
