import { commandLine, dockerfile, type MessageCase } from '../message-case.ts';

/** The context, its files and what is fetched. */
export const fileCases: readonly MessageCase[] = [
  dockerfile('COPY of a missing file fails', 'FROM scratch\n\nCOPY nothing.txt /\n'),
  dockerfile('COPY of a misspelt file fails, with a suggestion', 'FROM scratch\nCOPY src/mian.c /\n', {
    files: { 'src/main.c': '' },
  }),
  dockerfile('COPY of a file that .dockerignore excludes fails', 'FROM scratch\nCOPY secret /\n', {
    files: { secret: 's', '.dockerignore': '# keep these out\nsecret\n' },
  }),
  dockerfile('COPY of a file in a misspelt directory fails, with a suggestion', 'FROM scratch\nCOPY scr/main.c /\n', {
    files: { 'src/main.c': '' },
  }),
  dockerfile('COPY of a file outside the context fails', 'FROM scratch\nCOPY ../secret /\n'),
  dockerfile('COPY with backslashes fails', 'FROM scratch\nCOPY src\\main.c /\n', { files: { 'src/main.c': '' } }),
  dockerfile('COPY of an absolute path fails', 'FROM scratch\nCOPY /etc/hosts /\n'),
  dockerfile('COPY of a file that an exception does not keep fails', 'FROM scratch\nCOPY dist/app.js /\n', {
    files: { 'dist/app.js': '', 'dist/map.js': '', '.dockerignore': 'dist\n!dist/map.js\n' },
  }),
  dockerfile('A Dockerfile in UTF-16 fails', '', {
    prepare: "printf 'FROM scratch\\nCOPY . /\\n' | iconv -t UTF-16 > u && mv u Dockerfile",
  }),
  dockerfile('An ignore file in UTF-16 fails', 'FROM scratch\nCOPY . /\n', {
    prepare: "printf 'x\\n' | iconv -t UTF-16 > .dockerignore",
  }),
  dockerfile('COPY of a pattern with a syntax error fails', 'FROM scratch\nCOPY [a- /app/\n', { files: { a: '' } }),
  dockerfile('COPY of a JSON array that is not closed fails', 'FROM scratch\nCOPY ["a", "/app/"\n', {
    files: { a: '' },
  }),
  dockerfile('COPY with a comment after it fails', 'FROM scratch\nCOPY a / # all\n', { files: { a: '' } }),
  dockerfile('COPY with an operator of a shell fails', 'FROM scratch\nCOPY a / && ls\n', { files: { a: '' } }),
  dockerfile('ADD of a URL with a misspelt scheme fails', 'FROM scratch\nADD htp://example.com/x /\n'),
  dockerfile(
    'COPY --from of a missing file fails',
    'FROM scratch AS a\nCOPY x /x\nFROM scratch\nCOPY --from=a /y /y\n',
    { files: { x: '' } },
  ),
  dockerfile('COPY of a directory over a file fails', 'FROM scratch\nCOPY a /x\nCOPY d /x\n', {
    files: { a: '', 'd/b': '' },
  }),
  dockerfile('COPY of files into a file fails', 'FROM scratch\nCOPY a /z\nCOPY d /z/\n', {
    files: { a: '', 'd/b': '' },
  }),
  dockerfile('An invalid pattern in .dockerignore fails', 'FROM scratch\nCOPY . /\n', {
    files: { '.dockerignore': '!\n' },
  }),
  dockerfile('A loop of symbolic links fails', 'FROM scratch\nCOPY loop/x /\n', { prepare: 'ln -s loop loop' }),
  dockerfile('A directory without a Dockerfile fails', '', { prepare: 'rm Dockerfile' }),
  dockerfile('A directory with a Dockerfile of another name fails', '', { prepare: 'mv Dockerfile app.dockerfile' }),
  commandLine('A Dockerfile that -f names and that is missing fails', ['-f', 'docker/Dockerfile', '.']),
  commandLine('A misspelt Dockerfile of -f fails, with a suggestion', ['-f', 'Dokerfile', '.']),
  dockerfile('A binary Dockerfile fails', '', { prepare: "printf 'FROM \\0\\n' > Dockerfile" }),
  commandLine('A context that does not exist fails', ['no/such/directory']),
  commandLine('A context that is a file fails', ['Dockerfile']),
  commandLine('A context of an unknown scheme fails', ['ftp://example.com/x']),
  dockerfile('ADD of a URL where nobody answers fails', 'FROM scratch\nADD http://127.0.0.1:1/file /\n'),
  dockerfile('ADD of https:// from a server without TLS fails', 'FROM scratch\nADD https://REGISTRY/file /\n'),
  dockerfile('ADD of a URL that does not exist fails', 'FROM scratch\nADD http://REGISTRY/nothing /\n'),
  dockerfile(
    'ADD of a URL with another checksum fails',
    `FROM scratch\nADD --checksum=sha256:${'0'.repeat(64)} http://REGISTRY/v2/ /file\n`,
  ),
  dockerfile('ADD of a repository where nobody answers fails', 'FROM scratch\nADD http://127.0.0.1:1/app.git /app\n'),
  dockerfile('ADD of a damaged archive fails', 'FROM scratch\nADD broken.tar.gz /\n', {
    prepare: 'head -c 9000 /dev/urandom > x && tar czf - x | head -c 5000 > broken.tar.gz',
  }),
  commandLine('A named context that is not of the form NAME=SOURCE fails', ['--build-context', 'nonsense', '.']),
  commandLine('A named context that does not exist fails', ['--build-context', 'base=./nowhere', '.'], {
    files: { Dockerfile: 'FROM base\n' },
  }),
  commandLine('A named context that is no OCI layout fails', ['--build-context', 'base=oci-layout://.', '.'], {
    files: { Dockerfile: 'FROM base AS b\n' },
  }),
  commandLine('An empty standard input fails', ['-']),
];
