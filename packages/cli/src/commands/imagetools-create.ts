import { mergeImages, pushMerged } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import { familiarReference, parsePlatform, parseReference } from '@tbuild/oci';
import { registryFlags } from '../registry-flags.ts';
import { storeCommand } from '../store-command.ts';

export const create = storeCommand({
  summary: 'Merge images of registries, one for each platform, into one index',
  usage: 'imagetools create [OPTIONS] -t NAME SOURCE...',
  flags: {
    tag: { kind: 'list', short: 't', value: 'NAME[:TAG]', help: 'Name the index; may be given several times' },
    append: { kind: 'switch', help: 'Keep what the name stands for now, and add to it' },
    annotation: { kind: 'list', value: 'NAME=VALUE', help: 'Annotate the index' },
    'dry-run': { kind: 'switch', help: 'Print the index instead of pushing it' },
    platform: { kind: 'list', short: 'p', value: 'OS/ARCH', help: 'Take only these platforms' },
    ...registryFlags,
  },
  takes: [0, Infinity],
  async run({ flags, words, worker, env, signal }) {
    const names = (flags.tag ?? []).map(parseReference);
    if (names.length === 0 && flags['dry-run'] !== true)
      throw new TbuildError('USAGE', 'The index needs a name', { hint: 'Give one with -t REGISTRY/NAME:TAG' });
    const sources = [...(flags.append === true ? names.slice(0, 1) : []), ...words.map(parseReference)];
    if (sources.length === 0)
      throw new TbuildError('USAGE', 'There are no images to merge', { hint: 'Name at least one' });
    const platforms = flags.platform
      ?.flatMap((text) => text.split(','))
      .map((text) => parsePlatform(text, worker.platform));
    const merged = await mergeImages(sources, worker, {
      platforms,
      annotations: annotations(flags.annotation),
      signal,
    });
    if (flags['dry-run'] === true) {
      env.stdout.write(`${JSON.stringify(JSON.parse(Buffer.from(merged.index.bytes).toString('utf8')), null, 2)}\n`);
      return;
    }
    await pushMerged(merged, names, worker, signal);
    for (const name of names)
      env.stdout.write(`${familiarReference(name)}: digest: ${merged.index.descriptor.digest}\n`);
  },
});

function annotations(texts: readonly string[] | undefined): Readonly<Record<string, string>> | undefined {
  if (texts === undefined) return undefined;
  return Object.fromEntries(
    texts.map((text) => {
      const [, name, value = ''] = /^(?:index:)?([^=]+)=(.*)$/s.exec(text) ?? [];
      if (name === undefined)
        throw new TbuildError('USAGE', `Annotation ${JSON.stringify(text)} is not of the form NAME=VALUE`);
      return [name, value];
    }),
  );
}
