import type { SourceRange } from '@tbuild/errors';
import type { LintWarning } from './instruction.ts';

/** Docker's general description of a rule. The address of its page follows from its name. */
interface Rule {
  readonly description: string;
  readonly experimental?: boolean;
}

/** Docker's build checks. The frontend finds those that need values or files. */
const RULES = {
  StageNameCasing: { description: 'Stage names should be lowercase' },
  FromAsCasing: { description: "The 'as' keyword should match the case of the 'from' keyword" },
  NoEmptyContinuation: { description: 'Empty continuation lines will become errors in a future release' },
  ConsistentInstructionCasing: {
    description: 'All commands within the Dockerfile should use the same casing (either upper or lower)',
  },
  DuplicateStageName: { description: 'Stage names should be unique' },
  ReservedStageName: { description: 'Reserved words should not be used as stage names' },
  JSONArgsRecommended: {
    description: 'JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals',
  },
  MaintainerDeprecated: {
    description: 'The MAINTAINER instruction is deprecated, use a label instead to define an image author',
  },
  UndefinedArgInFrom: { description: 'FROM command must use declared ARGs' },
  WorkdirRelativePath: {
    description:
      'Relative workdir without an absolute workdir declared within the build can have unexpected results if the base image changes',
  },
  UndefinedVar: { description: 'Variables should be defined before their use' },
  MultipleInstructionsDisallowed: {
    description: 'Multiple instructions of the same type should not be used in the same stage',
  },
  LegacyKeyValueFormat: { description: 'Legacy key/value format with whitespace separator should not be used' },
  InvalidBaseImagePlatform: { description: 'Base image platform does not match expected target platform' },
  RedundantTargetPlatform: {
    description: 'Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior',
  },
  SecretsUsedInArgOrEnv: { description: 'Sensitive data should not be used in the ARG or ENV commands' },
  InvalidDefaultArgInFrom: {
    description: 'Default value for global ARG results in an empty or invalid base image name',
  },
  FromPlatformFlagConstDisallowed: { description: 'FROM --platform flag should not use a constant value' },
  CopyIgnoredFile: { description: 'Attempting to Copy file that is excluded by .dockerignore' },
  InvalidDefinitionDescription: {
    description:
      'Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`. If this is not intended to be a description comment, add an empty line or comment between the instruction and the comment.',
    experimental: true,
  },
  ExposeProtoCasing: { description: 'Protocol in EXPOSE instruction should be lowercase' },
  ExposeInvalidFormat: {
    description:
      'IP address and host-port mapping should not be used in EXPOSE instruction. This will become an error in a future release',
  },
} as const satisfies Readonly<Record<string, Rule>>;

/** The name of one of Docker's build checks. */
export type RuleName = keyof typeof RULES;

/** The part of a rule that {@link CheckOptions} select by. */
export function ruleOf(name: RuleName): { readonly name: RuleName; readonly experimental: boolean } {
  return { name, experimental: 'experimental' in RULES[name] };
}

/** All rules, in Docker's order. */
export function ruleNames(): readonly RuleName[] {
  return Object.keys(RULES).filter(isRuleName);
}

/** Returns whether Docker has a rule of this name. */
export function isRuleName(name: string): name is RuleName {
  return Object.hasOwn(RULES, name);
}

/** Creates a warning in Docker's words. `token` is the part of the instruction to underline. */
export function createWarning(
  rule: RuleName,
  message: string,
  { location, token }: { readonly location: SourceRange; readonly token?: SourceRange },
): LintWarning {
  const url = ruleUrl(rule);
  return {
    rule,
    description: RULES[rule].description,
    url,
    message,
    location,
    ...(token === undefined ? {} : { token }),
  };
}

/** Returns the description of a rule in one line, and its page in Docker's documentation. */
export function describeRule(rule: RuleName): { readonly description: string; readonly url: string } {
  return { description: RULES[rule].description, url: ruleUrl(rule) };
}

function ruleUrl(rule: RuleName): string {
  const page = rule
    .replace(/([a-z])([A-Z])/g, '$1-$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();
  return `https://docs.docker.com/go/dockerfile/rule/${page}/`;
}
