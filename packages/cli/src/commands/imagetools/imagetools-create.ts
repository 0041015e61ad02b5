import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { formatPlace, mergeImages, parsePlace, pushMerged, type ImagePlace } from '@tbuild/images';
import { readLimitedFile } from '@tbuild/linux';
import { familiarReference, formatReference, isDigest, parsePlatform, type Platform } from '@tbuild/oci';
import type { Annotation } from '@tbuild/spec';
import { buildFlags } from '../../flags/build-flags.ts';
import { requirePair } from '../../flags/pairs.ts';
import { registryFlags } from '../../flags/registry-flags.ts';
import { dotenv } from '../../print/result-files.ts';
import { annotationsNamed } from '../../request/annotation.ts';
import { storeCommand } from '../store-command.ts';

export const create = storeCommand({
  summary: 'Merge images of registries or layouts, one for each platform, into one index',
  usage: 'imagetools create [OPTIONS] -t NAME SOURCE...',
  flags: {
    tag: {
      kind: 'list',
      short: 't',
      value: 'NAME[:TAG]',
      help: 'Name the index; may be given several times, also oci-layout://DIR[:TAG]',
    },
    append: { kind: 'switch', help: 'Add to the current image or index of the name' },
    annotation: {
      kind: 'list',
      value: '[KIND:]NAME=VALUE',
      help: 'Annotate the index; with manifest-descriptor[PLATFORM]: its entries',
    },
    'dotenv-file': buildFlags['dotenv-file'],
    'dry-run': { kind: 'switch', help: 'Print the index instead of pushing it' },
    file: {
      kind: 'list',
      short: 'f',
      value: 'FILE',
      help: 'Read a source from its descriptor or its metadata file; it is in the repository of the first name',
    },
    'metadata-file': { kind: 'text', value: 'FILE', help: 'Write the result to a file, as JSON' },
    platform: { kind: 'list', short: 'p', value: 'OS/ARCH', help: 'Take only these platforms' },
    'prefer-index': { kind: 'switch', help: 'Make an index of a single image too (default: true)' },
    ...registryFlags,
  },
  takes: [0, Infinity],
  async run({ flags, words, services, env, signal }) {
    const targets = (flags.tag ?? []).map((text) => parsePlace(text, env.cwd));
    if (targets.length === 0 && flags['dry-run'] !== true)
      throw new TbuildError('USAGE', 'The index needs a name', { hint: 'Give one with -t REGISTRY/NAME:TAG' });
    const files = (flags.file ?? []).map((file) => describedSource(resolve(env.cwd, file), targets[0]));
    const appended = flags.append === true ? targets.slice(0, 1) : [];
    const sources = [...appended, ...words.map((text) => parsePlace(text, env.cwd)), ...files];
    if (sources.length === 0)
      throw new TbuildError('USAGE', 'There are no images to merge', { hint: 'Name at least one source' });
    const platforms = flags.platform
      ?.flatMap((text) => text.split(','))
      .map((text) => parsePlatform(text, services.platform));
    const merged = await mergeImages(sources, services, {
      platforms,
      annotations: (flags.annotation ?? []).flatMap((text) => indexAnnotation(text, services.platform)),
      preferIndex: flags['prefer-index'],
      signal,
    });
    if (flags['dry-run'] === true) {
      env.stdout.write(`${JSON.stringify(JSON.parse(Buffer.from(merged.index.bytes).toString('utf8')), null, 2)}\n`);
      return;
    }
    await pushMerged(merged, targets, { ...services, signal });
    const { descriptor } = merged.index;
    if (flags['metadata-file'] !== undefined) {
      const metadata = {
        'containerimage.descriptor': descriptor,
        'containerimage.digest': descriptor.digest,
        'image.name': targets.map(formatPlace).join(','),
      };
      writeFileSync(resolve(env.cwd, flags['metadata-file']), `${JSON.stringify(metadata, null, 2)}\n`);
    }
    if (flags['dotenv-file'] !== undefined) {
      const names = targets.flatMap((target) => (target.kind === 'registry' ? formatReference(target.reference) : []));
      writeFileSync(resolve(env.cwd, flags['dotenv-file']), dotenv({ names, manifest: descriptor }));
    }
    for (const target of targets) {
      const name = target.kind === 'registry' ? familiarReference(target.reference) : formatPlace(target);
      env.stdout.write(`${name}: digest: ${descriptor.digest}\n`);
    }
  },
});

/** Reads an annotation. Its kind defaults to the index; manifests stay unchanged. */
function indexAnnotation(text: string, host: Platform): readonly Annotation[] {
  const [written, value] = requirePair(text, '--annotation', '[KIND:]NAME=VALUE');
  const hasKind = /^[a-z-]+(?:\[[^\]]*\])?(?:,[^=]*)?:/.test(written);
  const annotations = annotationsNamed(hasKind ? written : `index:${written}`, value, host);
  const wrong = annotations.find(({ on }) => on !== 'index' && on !== 'manifest-descriptor');
  if (wrong === undefined) return annotations;
  throw new TbuildError('USAGE', `Invalid --annotation ${JSON.stringify(text)}: this command makes no ${wrong.on}`, {
    hint: 'Use index or manifest-descriptor',
  });
}

/**
 * Reads a source from a file.
 * @throws TbuildError USAGE for a file that names no digest.
 */
function describedSource(path: string, place: ImagePlace | undefined): ImagePlace {
  const document = readDocument(path);
  const digest = document.digest ?? document['containerimage.digest'];
  if (place === undefined)
    throw new TbuildError('USAGE', `File ${JSON.stringify(path)} needs a name in whose repository the image is`, {
      hint: 'Give one with -t REGISTRY/NAME:TAG',
    });
  if (typeof digest === 'string' && isDigest(digest))
    return place.kind === 'layout'
      ? { ...place, name: digest }
      : { ...place, reference: { ...place.reference, tag: undefined, digest } };
  throw new TbuildError('USAGE', `File ${JSON.stringify(path)} has no digest`, {
    hint: 'Name a descriptor {"mediaType", "digest", "size"}, or a file that --metadata-file of a build wrote',
  });
}

function readDocument(path: string): Readonly<Record<string, unknown>> {
  const bytes = readLimitedFile(path, { what: `File ${JSON.stringify(path)}`, code: 'USAGE', pipes: true });
  try {
    const document: unknown = JSON.parse(String(bytes ?? ''));
    return typeof document === 'object' && document !== null ? { ...document } : {};
  } catch (cause) {
    throw new TbuildError('USAGE', `File ${JSON.stringify(path)} is not valid JSON`, { cause });
  }
}
