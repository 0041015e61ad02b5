import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { buildInline, runTbuild, writeFiles } from '../../support/tbuild.ts';

/** A title, a colour, a cleared screen, an overwritten line, a command of GitHub's log and a reversed text. */
const EVIL = '\x1b]0;title\x07\x1b[31m\x1b[2J\x9b31m\r::error::x\r\u202e';

/** What changes a terminal or begins a line. */
// oxlint-disable-next-line no-control-regex -- the test is about them
const CHANGES = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]/;

const files = {
  Dockerfile: `FROM busybox
WORKDIR "/${EVIL.replaceAll('\r', '')}"
RUN mkdir "/d${EVIL}"; touch "/d${EVIL}/x"
`,
};

test.each(['plain', 'quiet'])('a Dockerfile cannot change the terminal, with --progress %s', async (progress) => {
  const good = await buildInline(files, { args: ['--progress', progress] });
  expect(good).toMatchObject({ exitCode: 0, stderr: expect.not.stringMatching(CHANGES) });
  const bad = await buildInline(
    { Dockerfile: `${files.Dockerfile}LABEL "${EVIL}\nUNKNOWN ${EVIL}\n` },
    { args: ['--progress', progress] },
  );
  expect(bad).toMatchObject({ exitCode: 1, stderr: expect.not.stringMatching(CHANGES) });
});

test('no command that shows an image or a build lets it change the terminal', async () => {
  const context = writeFiles(files);
  const { exitCode, store } = await buildInline(files, { args: ['--tag', 'evil'] });
  expect(exitCode).toBe(0);
  const commands = [
    ['history', '--no-trunc', 'evil'],
    ['diff', 'evil'],
    ['du', '--verbose'],
    ['explain', `${context}/Dockerfile`],
    ['lint', `${context}/Dockerfile`],
    ['builds', 'show'],
    ['builds', 'logs'],
  ];
  for (const command of commands) {
    const { stdout, stderr } = await runTbuild(command, { store });
    expect([command, CHANGES.exec(stdout + stderr)]).toEqual([command, null]);
    expect(stdout + stderr).toContain('�');
  }
});

test('neither does a message about a hostile image or its list in a registry', async () => {
  const texts = { os: EVIL, architecture: `x\n${EVIL}`, variant: EVIL };
  const layout = hostileLayout(texts);
  const listed = await runTbuild(['imagetools', 'inspect', `oci-layout://${layout}:1`]);
  expect(listed).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Annotations: �') });
  const built = await buildInline(
    { Dockerfile: 'FROM evil\n' },
    { args: ['--build-context', `evil=oci-layout://${layout}:1`] },
  );
  expect(built.exitCode).toBe(1);
  for (const text of [listed.stdout, listed.stderr, built.stderr]) {
    expect(text).not.toMatch(CHANGES);
    expect(text.split('\n').filter((line) => line.startsWith('::'))).toEqual([]);
  }
});

/** Makes a layout with an index that has such texts in its platforms and annotations. */
function hostileLayout(platform: Readonly<Record<string, string>>): string {
  const blobs = new Map<string, string>();
  const put = (mediaType: string, document: object) => {
    const text = JSON.stringify(document);
    const hash = createHash('sha256').update(text).digest('hex');
    blobs.set(`blobs/sha256/${hash}`, text);
    return { mediaType, digest: `sha256:${hash}`, size: Buffer.byteLength(text) };
  };
  const oci = 'application/vnd.oci.image';
  const config = put(`${oci}.config.v1+json`, { ...platform, rootfs: { type: 'layers', diff_ids: [] } });
  const manifest = put(`${oci}.manifest.v1+json`, { schemaVersion: 2, config, layers: [] });
  const entry = { ...manifest, platform, annotations: { [EVIL]: `\n::error::${EVIL}` } };
  const index = put(`${oci}.index.v1+json`, { schemaVersion: 2, manifests: [entry] });
  return writeFiles({
    ...Object.fromEntries(blobs),
    'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
    'index.json': JSON.stringify({
      schemaVersion: 2,
      manifests: [{ ...index, annotations: { 'org.opencontainers.image.ref.name': '1' } }],
    }),
  });
}
