import type { RulePage } from './rule-page.ts';

/** Rules about the style of a Dockerfile. */
export const stylePages = {
  StageNameCasing: {
    what: 'A stage name in FROM … AS has capital letters.',
    why: `Stage names are compared without case, so "Build" and "build" are one stage: COPY --from and --target
find it whichever way it is written. Small letters everywhere make it plain that a name is meant, and that two
names that differ by a capital are not two stages.`,
    bad: `FROM golang AS BuildTools
RUN make`,
    good: `FROM golang AS build-tools
RUN make`,
  },
  FromAsCasing: {
    what: 'The word AS is written in another case than the FROM before it.',
    why: `Both words belong to one instruction. A line like "FROM x as y" reads as if "as y" were part of the image's
name; one case for all keywords lets the eye find names.`,
    bad: `FROM busybox as tools
RUN true`,
    good: `FROM busybox AS tools
RUN true`,
  },
  ConsistentInstructionCasing: {
    what: `An instruction is not in the case that most instructions of the file have. All small or all capital
letters are both fine; where there are as many of each, capitals are expected.`,
    why: `Instructions are read by their keywords. A single "run" among capitals is easily taken for the end of the
command above it, above all after a continued line.`,
    bad: `FROM busybox
WORKDIR /app
run echo ready`,
    good: `FROM busybox
WORKDIR /app
RUN echo ready`,
  },
  NoEmptyContinuation: {
    what: 'An empty line stands inside an instruction that a backslash continues.',
    why: `An empty line looks like the end of the instruction, but is not: what follows still belongs to it. Docker
has announced that such lines will be errors. A comment line may stand in the same place.`,
    bad: `FROM busybox
RUN echo one && \\

    echo two`,
    good: `FROM busybox
RUN echo one && \\
    # a comment is welcome here
    echo two`,
  },
  LegacyKeyValueFormat: {
    what: 'ENV or LABEL has its name and value with a blank between them instead of "=".',
    why: `With the blank, all the rest of the line is the value: "ENV A 1 B=2" sets A to "1 B=2" and B to nothing. The
form with "=" says where each value ends and takes several pairs in one instruction.`,
    bad: `FROM busybox
ENV MODE production`,
    good: `FROM busybox
ENV MODE=production`,
  },
  MaintainerDeprecated: {
    what: 'MAINTAINER is used.',
    why: `It can hold one name and nothing else, and few tools show it. The label org.opencontainers.image.authors is
what registries and scanners read, and it can be set from the command line too.`,
    bad: `FROM busybox
MAINTAINER team@example.org`,
    good: `FROM busybox
LABEL org.opencontainers.image.authors="team@example.org"`,
  },
  InvalidDefinitionDescription: {
    what: `A comment directly above ARG or a named FROM does not begin with the argument's or the stage's name. The
rule is experimental: it speaks only with "# check=experimental=InvalidDefinitionDescription" or "experimental=all".`,
    why: `--call=outline and --call=targets show such comments as descriptions, but only those that begin with the
name. A comment about something else is kept apart by an empty line.`,
    bad: `# check=experimental=InvalidDefinitionDescription
FROM busybox
# which release to fetch
ARG VERSION=1`,
    good: `# check=experimental=InvalidDefinitionDescription
FROM busybox
# VERSION which release to fetch
ARG VERSION=1`,
  },
} as const satisfies Readonly<Record<string, RulePage>>;
