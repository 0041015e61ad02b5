import { commandLine, type MessageCase } from '../message-case.ts';

const noSuchRegistry = '127.0.0.1:1';

/** Outputs, caches, images of the store and registries. */
export const outputCases: readonly MessageCase[] = [
  commandLine('An unknown type of output fails', ['-o', 'type=zip,dest=x', '.']),
  commandLine('An output with an unknown option fails', ['-o', 'type=oci,dset=x.tar', '.']),
  commandLine('A local output without a destination fails', ['-o', 'type=local', '.']),
  commandLine('An unknown compression fails', ['-o', 'type=oci,dest=x.tar,compression=lzma', '.']),
  commandLine('A compression that is not supported fails', ['-o', 'type=oci,dest=x.tar,compression=estargz', '.']),
  commandLine('Two outputs to one place fail', ['-o', 'type=oci,dest=x.tar', '-o', 'type=docker,dest=x.tar', '.']),
  commandLine('A Docker archive of two platforms fails', [
    '--platform',
    'linux/amd64,linux/arm64',
    '-o',
    'type=docker,dest=x.tar',
    '.',
  ]),
  commandLine('An output in a directory that is a file fails', ['-o', 'type=oci,dest=Dockerfile/x.tar', '.']),
  commandLine('A local output where a file is fails', ['-o', 'Dockerfile', '.']),
  commandLine('--push without a name fails', ['--push', '.']),
  commandLine('--push where no registry answers fails', ['--push', '-t', `${noSuchRegistry}/app`, '.']),
  commandLine('mode=delete of the context fails', ['-o', 'type=local,dest=.,mode=delete', '.']),
  commandLine('A cache in S3 without a bucket fails', ['--cache-to', 'type=s3,region=r', '.']),
  commandLine('A cache in S3 with half of a key fails, and shows none of it', [
    '--cache-to',
    'type=s3,bucket=cache,region=r,secret_access_key=never-shown',
    '.',
  ]),
  commandLine('A cache in Azure without an account fails', ['--cache-from', 'type=azblob,name=a', '.']),
  commandLine('A cache in a directory that is a file fails', ['--cache-to', 'type=local,dest=Dockerfile', '.']),
  commandLine('A cache without a place fails', ['--cache-to', 'type=local', '.']),
  commandLine('FROM of an image where no registry answers fails', ['.'], {
    files: { Dockerfile: `FROM ${noSuchRegistry}/base:1\n` },
  }),
  commandLine('FROM of an image of a registry that DNS does not know fails', ['.'], {
    files: { Dockerfile: 'FROM registry.invalid/base:1\n' },
  }),
  commandLine('FROM of an image that a registry lacks fails', ['.'], {
    files: { Dockerfile: 'FROM REGISTRY/nothing:1\n' },
  }),
  commandLine('FROM of an image that needs a login fails', ['.'], {
    files: { Dockerfile: 'FROM PRIVATE/secret:1\n' },
  }),
  commandLine('A push to a repository that needs a login fails', ['--push', '-t', 'PRIVATE/secret:1', '.']),
  commandLine('A pull of an image that a registry lacks fails', ['pull', 'REGISTRY/nothing:1']),
  commandLine('A push of an image that the store lacks fails', ['push', 'nothing:1']),
  commandLine('Inspecting an image that the store lacks fails', ['inspect', 'nothing']),
  commandLine('Removing an image that the store lacks fails', ['rmi', 'nothing']),
  commandLine('Saving without an image fails', ['save']),
  commandLine('Loading a file that is no archive fails', ['load', '-i', 'Dockerfile']),
  commandLine('Loading a file that does not exist fails', ['load', '-i', 'nothing.tar']),
  commandLine('A template with a syntax error fails', ['images', '--format', '{{.ID']),
  commandLine('A template with an unknown field fails', ['images', '--format', '{{.Nothing}}'], {
    prepare: 'tbuild -q -t one .',
  }),
  commandLine('Merging images without a name fails', ['imagetools', 'create', 'REGISTRY/nothing:1']),
  commandLine('Logging in without a password fails', ['login', '-u', 'me', 'REGISTRY']),
];
