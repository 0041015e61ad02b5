import { commandLine, dockerfile, type MessageCase } from '../message-case.ts';

/** Steps that run a program. */
export const runCases: readonly MessageCase[] = [
  dockerfile('A command that fails shows its output', 'FROM busybox\nRUN echo why >&2 && \\\n  exit 9\n'),
  dockerfile('A program that the image lacks fails', 'FROM busybox\nRUN ["/no/such/program"]\n'),
  dockerfile('A command that the shell does not find fails', 'FROM busybox\nRUN aptget update\n'),
  dockerfile('A misspelt program fails, with a suggestion', 'FROM busybox\nRUN ["busybx", "id"]\n'),
  dockerfile('A misspelt command fails in a shell, with a suggestion', 'FROM busybox\nRUN mkdri /x\n'),
  dockerfile('A script with Windows line ends fails', 'FROM busybox\nCOPY --chmod=755 x.sh /x.sh\nRUN /x.sh\n', {
    files: { 'x.sh': '#!/bin/sh\r\necho hello\r\n' },
  }),
  dockerfile(
    'A script whose interpreter is missing fails',
    'FROM busybox\nCOPY --chmod=755 x.sh /x.sh\nRUN ["/x.sh"]\n',
    {
      files: { 'x.sh': '#!/usr/bin/python3\nprint(1)\n' },
    },
  ),
  dockerfile('A script that is not executable fails', 'FROM busybox\nCOPY --chmod=644 x.sh /x.sh\nRUN /x.sh\n', {
    files: { 'x.sh': '#!/bin/sh\necho hello\n' },
  }),
  dockerfile('A program for another C library fails', 'FROM busybox\nCOPY program /program\nRUN /program\n', {
    prepare: 'cp /usr/bin/env program',
  }),
  dockerfile('A program for another processor fails', 'FROM busybox\nCOPY program /program\nRUN ["/program"]\n', {
    prepare:
      "printf '\\177ELF\\2\\1\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\2\\0\\25\\0\\1\\0\\0\\0' > program && head -c 200 /dev/zero >> program && chmod +x program",
  }),
  dockerfile('A shell that the image lacks fails', 'FROM busybox\nSHELL ["/bin/bash", "-c"]\nRUN true\n'),
  dockerfile('A program that crashes fails', "FROM busybox\nRUN sh -c 'kill -SEGV $$'; exit $?\n"),
  dockerfile('A command that is terminated fails', "FROM busybox\nRUN sh -c 'kill -TERM $$'; exit $?\n"),
  dockerfile('A command that is a directory fails', 'FROM busybox\nRUN mkdir /tool; /tool\n'),
  dockerfile('A working directory that is a file fails', 'FROM busybox\nCOPY a /a\nWORKDIR /a\nRUN true\n', {
    files: { a: '' },
  }),
  dockerfile(
    'A secret that is required and not given fails',
    'FROM busybox\nRUN --mount=type=secret,id=token,required=true true\n',
  ),
  dockerfile(
    'An SSH agent that is required and not given fails',
    'FROM busybox\nRUN --mount=type=ssh,required=true true\n',
  ),
  dockerfile(
    'A bind mount of a missing directory fails',
    'FROM busybox\nRUN --mount=type=bind,source=nowhere,target=/x true\n',
  ),
  dockerfile('A mount on the root fails', 'FROM busybox\nRUN --mount=type=tmpfs,target=/ true\n'),
  commandLine('A secret from a missing file fails', ['--secret', 'id=token,src=nowhere', '.']),
  commandLine('A secret without an id fails', ['--secret', 'src=a', '.']),
  commandLine('An SSH key that does not exist fails', ['--ssh', 'default=nowhere', '.'], {
    files: { Dockerfile: 'FROM busybox\nRUN --mount=type=ssh true\n' },
  }),
  commandLine('--ssh default without an agent fails', ['--ssh', 'default', '.']),
  commandLine('An unknown isolation fails', ['--isolation', 'vm', '.']),
  commandLine('An unknown network fails', ['--network', 'bridge', '.']),
  commandLine('A limit that is no number fails', ['--ulimit', 'nofile=many', '.']),
  commandLine('An unknown limit fails', ['--ulimit', 'files=10', '.']),
  commandLine('A soft limit above the hard one fails', ['--ulimit', 'nofile=20:10', '.']),
  commandLine('An unknown resource fails', ['--resource', 'disk=1g', '.']),
  commandLine('An invalid size of a resource fails', ['--resource', 'memory=lots', '.']),
  commandLine('An invalid size of /dev/shm fails', ['--shm-size', 'big', '.']),
  commandLine('A build that takes longer than --timeout fails', ['--timeout', '8s', '.'], {
    files: { Dockerfile: 'FROM busybox\nRUN sleep 60\n' },
  }),
];
