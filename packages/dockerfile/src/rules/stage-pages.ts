import type { RulePage } from './rule-page.ts';

/** Rules about stages and their base images. */
export const stagePages = {
  DuplicateStageName: {
    what: 'Two stages have the same name.',
    why: `A name that COPY --from, FROM or --target uses means the last stage before that place which has it. With
two of them, moving a stage silently changes which files are copied.`,
    bad: `FROM busybox AS tools
FROM busybox AS tools
RUN true`,
    good: `FROM busybox AS tools
FROM busybox AS checks
RUN true`,
  },
  ReservedStageName: {
    what: 'A stage is called "scratch" or "context".',
    why: `Both words have a meaning: scratch is the empty image, context the directory that is built. A stage of that
name hides one of them, or is hidden by it.`,
    bad: `FROM busybox AS scratch
RUN true`,
    good: `FROM busybox AS tools
RUN true`,
  },
  UndefinedArgInFrom: {
    what: 'FROM uses an argument that no ARG before the first FROM declares.',
    why: `FROM lines see only arguments declared above all stages; an undeclared one is empty, whatever --build-arg
says. Most often it is a slip of the pen, and the wrong image, or none, is pulled.`,
    bad: `ARG VARIANT=musl
FROM busybox:1-\${VARIENT:-glibc}`,
    good: `ARG VARIANT=musl
FROM busybox:1-\${VARIANT:-glibc}`,
  },
  InvalidDefaultArgInFrom: {
    what: 'Without any --build-arg, the name of a base image is empty or no image name.',
    why: `Who builds the file as it is gets an error about a name that stands nowhere in it. A default makes the plain
build work, and shows what a value looks like.`,
    bad: `ARG TAG
FROM busybox:\${TAG}`,
    good: `ARG TAG=latest
FROM busybox:\${TAG}`,
    given: '--build-arg TAG=latest',
  },
  RedundantTargetPlatform: {
    what: 'FROM has --platform=$TARGETPLATFORM.',
    why: `That is what FROM does without the flag. Writing it hides the stages where another platform matters, such as
a compiler that runs on $BUILDPLATFORM.`,
    bad: 'FROM --platform=$TARGETPLATFORM busybox',
    good: 'FROM busybox',
  },
  FromPlatformFlagConstDisallowed: {
    what: `FROM has --platform with a constant. A stage whose name has the system or the architecture in it may do
that.`,
    why: `The image is then for that platform on every machine and with every --platform, although the file promises
otherwise. Use $BUILDPLATFORM for stages that only help to build, and stages named after their platform where they
really differ.`,
    bad: `FROM --platform=linux/amd64 busybox
RUN true`,
    good: `FROM --platform=linux/amd64 busybox AS tools-amd64
RUN true`,
  },
  InvalidBaseImagePlatform: {
    what: 'The base image that was found is for another platform than the build.',
    why: `An image without variants is taken whatever its platform is. RUN then fails with "exec format error", or
runs slowly in an emulator, and the result claims a platform that it does not have.`,
    bad: 'FROM arm-only',
    good: 'FROM busybox',
    given: 'arm-only is an image for linux/arm64 alone, and the build is for linux/amd64',
  },
} as const satisfies Readonly<Record<string, RulePage>>;
