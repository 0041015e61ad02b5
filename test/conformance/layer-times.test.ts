import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadBaseImage } from '../support/base-images.ts';
import { docker } from '../support/docker.ts';
import { imagesOf, readLayer, type LayoutImage } from '../support/layout.ts';
import { needs } from '../support/requirements.ts';
import { runChecked } from '../support/run-process.ts';
import { scratchDirectory } from '../support/scratch.ts';
import { sharedService } from '../support/services.ts';
import { readTar } from '../support/tar-archive.ts';
import { buildContext, good, writeFiles } from '../support/tbuild.ts';

// Members, modes, owners and times of layers, compared with what a running Docker makes of the same input. Docker gives
// the time of the build to what has no time of its own, tbuild SOURCE_DATE_EPOCH: both are shown as `now`. The present
// BuildKit gives directories made for COPY --chmod that mode, Docker 26 does not: fixtures/buildkit-bytes has that rule.

/** Later than the time of every file here. */
const EPOCH = 1_600_000_000;

const SETUP = `umask 022
mkdir -p d/sub d/empty b
echo x > d/x; ln d/x d/hard; ln -s x d/link; echo y > d/sub/y
chmod 2775 d/sub; chmod 700 d/empty; mkfifo d/fifo
echo f > f; chmod 4711 f
python3 - <<'END'
import socket, tarfile, io
socket.socket(socket.AF_UNIX).bind('socket')
t = tarfile.open('t.tar', 'w')
def add(name, type=tarfile.REGTYPE, mode=0o644, uid=0, gid=0, time=1100000000, data=b'', link=''):
    i = tarfile.TarInfo(name)
    i.type, i.mode, i.uid, i.gid, i.mtime, i.linkname, i.size = type, mode, uid, gid, time, link, len(data)
    t.addfile(i, io.BytesIO(data))
add('./', tarfile.DIRTYPE, 0o700, 9, 9)
add('set/', tarfile.DIRTYPE, 0o2750, 11, 12)
add('set/deep/f', uid=13, gid=14, data=b'f')
add('implied/deep/g', uid=15, gid=16, data=b'g')
add('a', mode=0o600, uid=1, gid=1, data=b'a')
add('z', tarfile.LNKTYPE, 0o640, 2, 2, 1200000000, link='a')
add('late/x', data=b'x')
add('late/', tarfile.DIRTYPE, 0o711, 3, 3, 1300000000)
add('l', tarfile.SYMTYPE, 0o777, 17, 18, link='set')
add('l/through', data=b't')
add('ancient', time=-5, data=b'o')
t.close()
END
find . -exec touch -h -d 2001-02-03T04:05:06Z {} +
touch -h -d 1999-01-01T00:00:00Z d/sub d/x
`;

const CASES: Readonly<Record<string, string>> = {
  'COPY of a directory to a new path': 'COPY d /to',
  'COPY of a directory below a new one': 'COPY d /new/to/',
  'COPY of a directory into an existing one': 'COPY d/sub /b\nCOPY d /b',
  'COPY of a directory over one with other attributes': 'COPY --chown=5:6 d /b\nCOPY d /b',
  'COPY of the whole context': 'COPY . /all',
  'COPY of the whole context into an existing directory': 'WORKDIR /all\nCOPY . .',
  'COPY of a file into a directory of the base': 'COPY f /etc/',
  'COPY of a file over another': 'COPY f /etc/passwd',
  'COPY of a file below directories of the base': 'COPY f /usr/new/deep/f',
  'COPY of a file, then a directory': 'COPY d/x d /etc/',
  'COPY of a directory, then a file': 'COPY d d/x /etc/',
  'COPY by pattern': 'COPY d/* /p/',
  'COPY --chown of an unknown group': 'COPY --chown=1:nobody-such d /c',
  'COPY --chown of a user and an unknown group': 'COPY --chown=www-data:nobody-such f /c',
  'COPY --chown of an unknown user': 'COPY --chown=nobody-such:7 f /c',
  'COPY --chmod of a directory into an existing one': 'COPY --chmod=750 d /etc',
  'COPY --link': 'COPY --link d /etc',
  'COPY of a socket': 'COPY socket /s',
  'COPY from another stage':
    'COPY --from=made /d /one\nCOPY --from=made /d/x /d/hard /three/\nCOPY --from=made / /whole',
  'COPY --chown from another stage': 'COPY --from=made --chown=1:2 /d /two',
  'COPY of heredocs': 'COPY <<A <<B /h/\nRANDOM\nA\nRANDOM\nB',
  'COPY of a heredoc into a directory of the base': 'COPY <<A /etc/\nRANDOM\nA',
  'ADD of an archive': 'ADD t.tar /x/',
  'ADD of an archive onto the base': 'ADD t.tar /',
  'ADD of an archive into an existing directory': 'WORKDIR /x/set\nADD t.tar /x',
  'ADD of an archive with a mode': 'ADD --chmod=700 t.tar /x/',
  'ADD of a URL': 'ADD URL/file /etc/',
  'ADD of a URL with an owner and a mode': 'ADD --chown=3:4 --chmod=644 URL/file /etc/',
  'WORKDIR below directories of the base': 'USER 7:8\nWORKDIR /usr/new/deep',
};

describe('Docker and tbuild give the same members to the layers of', needs('docker', 'root', 'python3'), () => {
  const server = createServer((_request, response) => {
    response.setHeader('Last-Modified', new Date(1_050_000_000_000).toUTCString()).end('from the web');
  });
  let url = '';

  beforeAll(async () => {
    await loadBaseImage('busybox', await sharedService('docker'));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('Expected a port');
    url = `http://127.0.0.1:${address.port}`;
  });
  afterAll(() => void server.close());

  test.each(Object.entries(CASES))('%s', async (_, instructions) => {
    const made = 'FROM busybox AS made\nCOPY --chown=7:8 d /d\nWORKDIR /d/made\n';
    // Docker keeps heredocs from earlier builds, with their times.
    const own = instructions.replaceAll('URL', url).replaceAll('RANDOM', randomUUID());
    const text = `${made}FROM busybox\n${own}\n`;
    const context = writeFiles({ Dockerfile: text, '.dockerignore': 'Dockerfile\n.dockerignore\n' });
    await runChecked('sh', ['-c', SETUP], { cwd: context });
    const theirs = await dockerLayers(context);
    const ours = good(await buildContext(context, { env: { SOURCE_DATE_EPOCH: String(EPOCH) } }));
    const layers = membersOf(ours.image(), (time) => time === EPOCH);
    expect(layers.slice(1)).toEqual(theirs.slice(1));
  });
});

async function dockerLayers(context: string): Promise<readonly (readonly string[])[]> {
  const host = await sharedService('docker');
  const start = Math.floor(Date.now() / 1000);
  await docker(host, ['buildx', 'build', '--quiet', '--no-cache', '--network=host', '--tag', 'layer-times', context]);
  const saved = scratchDirectory('saved');
  await docker(host, ['save', '--output', join(saved, 'image.tar'), 'layer-times']);
  await runChecked('tar', ['-xf', 'image.tar'], { cwd: saved });
  const [image] = imagesOf(saved);
  if (image === undefined) throw new Error('Docker saved no image');
  return membersOf(image, (time) => time >= start);
}

function membersOf({ layout, manifest }: LayoutImage, isNow: (time: number) => boolean): (readonly string[])[] {
  return manifest.layers.map((layer) =>
    [...readTar(readLayer(layout, layer))].map(({ name, type, mode, uid, gid, size, mtime, linkName }) =>
      [name, type, mode.toString(8), `${uid}:${gid}`, size, isNow(mtime) ? 'now' : mtime, linkName].join(' ').trimEnd(),
    ),
  );
}
