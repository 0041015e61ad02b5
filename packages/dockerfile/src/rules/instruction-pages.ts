import type { RulePage } from './rule-page.ts';

/** Rules about what instructions do. */
export const instructionPages = {
  JSONArgsRecommended: {
    what: 'CMD or ENTRYPOINT is written as a line for the shell, and no SHELL was chosen.',
    why: `The shell becomes the first process of the container and does not pass signals on: "docker stop" waits its
ten seconds and kills. A JSON array starts the program itself. Where a shell is wanted, say so with SHELL, or with
["sh", "-c", "exec …"].`,
    bad: `FROM busybox
CMD serve --port 80`,
    good: `FROM busybox
CMD ["serve", "--port", "80"]`,
  },
  MultipleInstructionsDisallowed: {
    what: 'A stage has several CMD, ENTRYPOINT or HEALTHCHECK. The earlier ones are pointed at.',
    why: 'Only the last one counts, so the others do nothing but mislead.',
    bad: `FROM busybox
CMD ["sleep", "1"]
CMD ["sleep", "2"]`,
    good: `FROM busybox
CMD ["sleep", "2"]`,
  },
  WorkdirRelativePath: {
    what: 'The first WORKDIR of the file is relative.',
    why: `It is taken from the working directory of the base image, which its authors may change with any release:
files then go elsewhere without an error. After an absolute WORKDIR, relative ones are fine.`,
    bad: `FROM busybox
WORKDIR app/src`,
    good: `FROM busybox
WORKDIR /app
WORKDIR src`,
  },
  UndefinedVar: {
    what: `An instruction uses a variable that neither ENV nor ARG nor the base image defines. The text of RUN is
not looked at: its variables are the shell's.`,
    why: `An unknown variable is empty. "COPY $source /app" with a misspelt name copies the whole context, and
"WORKDIR /$dir" ends up in the root.`,
    bad: `FROM busybox
ARG destination=/app
COPY . $destinatoin`,
    good: `FROM busybox
ARG destination=/app
COPY . $destination`,
  },
  SecretsUsedInArgOrEnv: {
    what: `The name of an ARG or ENV has a word such as password, secret, token, key or credentials. Names that also
say public, file or version are left alone.`,
    why: `Both stay in the image: ENV in its configuration, ARG in its history. Whoever pulls it can read them. A
secret mount shows the value to one RUN and keeps it nowhere.`,
    bad: `FROM busybox
ARG API_TOKEN
RUN fetch --token "$API_TOKEN"`,
    good: `FROM busybox
RUN --mount=type=secret,id=api,env=API_TOKEN fetch --token "$API_TOKEN"`,
  },
  CopyIgnoredFile: {
    what: `COPY or ADD names a file that the ignore file leaves out. Ignore files with "!" lines are not judged, since
they may take the file back.`,
    why: 'The file is not part of the context, so the build fails, or a pattern copies less than it says.',
    bad: `FROM busybox
COPY build/app /app`,
    good: `FROM busybox
COPY release/app /app`,
    given: '.dockerignore has the line: build',
  },
  ExposeProtoCasing: {
    what: 'The protocol in EXPOSE has capital letters.',
    why: 'Protocols are written small everywhere else; "80/TCP" and "80/tcp" are one port that looks like two.',
    bad: `FROM busybox
EXPOSE 80/TCP`,
    good: `FROM busybox
EXPOSE 80/tcp`,
  },
  ExposeInvalidFormat: {
    what: 'EXPOSE has an address or a port of the host.',
    why: `EXPOSE tells which ports the container listens on. Where they are published is decided when it is run
(docker run -p); what is written here of it is ignored, and will become an error.`,
    bad: `FROM busybox
EXPOSE 127.0.0.1:8080:80`,
    good: `FROM busybox
EXPOSE 80`,
  },
} as const satisfies Readonly<Record<string, RulePage>>;
