import { TbuildError } from '@tbuild/errors';
import { formatReference, parsePlatform, parseReference, type Platform } from '@tbuild/oci';
import {
  compareImages,
  ignoreDifferences,
  openPlace,
  pushReproduction,
  readImage,
  type ImageComparison,
} from '@tbuild/verify';
import { choiceOf } from '../../flags/choice.ts';
import { registryFlags } from '../../flags/registry-flags.ts';
import { VERSION } from '../../startup/version.ts';
import { storeCommand, type StoreCall } from '../store-command.ts';
import { printComparison } from './print-comparison.ts';
import { recipeFlags, reproduce, type Reproduced } from './reproduce.ts';

const flags = {
  pair: { kind: 'switch', help: 'Compare two images instead of building one again' },
  format: { kind: 'text', value: 'FORMAT', help: 'Print "text" or "json"' },
  'ignore-times': { kind: 'switch', help: 'Do not count times of files and of the configuration' },
  ignore: { kind: 'list', value: 'PATH', help: 'Do not count differences below a path; * stands for any name' },
  platform: { kind: 'text', value: 'PLATFORM', help: 'The image of an index to verify' },
  attest: { kind: 'switch', help: 'Push a statement that the image was reproduced beside it, if it was' },
  ...recipeFlags,
  ...registryFlags,
} as const;

/** The image could not be built again, so nothing is known about it. */
const NOT_REBUILT = 3;

export const verify = storeCommand({
  summary: 'Build an image again from its provenance, and explain every difference',
  usage: 'verify [OPTIONS] IMAGE | verify --pair IMAGE IMAGE',
  flags,
  takes: [1, 2],
  async run(call) {
    const { pair, format = 'text' } = call.flags;
    const style = choiceOf(format, ['text', 'json'], '--format');
    if ((call.words.length === 2) !== (pair === true))
      throw new TbuildError('USAGE', `verify takes ${pair === true ? 'two images with --pair' : 'one image'}`, {
        hint: 'Write tbuild verify IMAGE, or tbuild verify --pair IMAGE IMAGE',
      });
    const platform = platformOf(call);
    return pair === true ? verifyPair(call, platform, style) : verifyOne(call, platform, style);
  },
});

type Call = StoreCall<typeof flags>;
type Style = 'text' | 'json';

function platformOf({ flags: { platform }, services }: Call): Platform {
  return platform === undefined ? services.platform : parsePlatform(platform, services.platform);
}

async function verifyPair(call: Call, platform: Platform, style: Style): Promise<number> {
  const { words, services, signal } = call;
  const [first, second] = await Promise.all(
    words.map(async (name) => readImage(await openPlace(name, services, signal), platform, signal)),
  );
  if (first === undefined || second === undefined) throw new Error('Expected two images');
  return report(await compareImages(first, second, signal), call, { style });
}

async function verifyOne(call: Call, platform: Platform, style: Style): Promise<number> {
  const { words, services, env, signal } = call;
  const [name = ''] = words;
  if (call.flags.attest === true && name.startsWith('oci-layout:'))
    throw new TbuildError('USAGE', '--attest needs an image in a registry', { hint: 'Push the image first' });
  const image = await readImage(await openPlace(name, services, signal), platform, signal);
  await using made = await reproduce(image, call, platform);
  if (made.failure !== undefined) {
    env.stderr.write(made.failure.text);
    if (style === 'json') env.stdout.write(`${JSON.stringify({ rebuilt: false, reason: made.failure.message })}\n`);
    return NOT_REBUILT;
  }
  const comparison = await compareImages(image, made.image, signal);
  if (call.flags.attest === true && comparison.equal) {
    const reference = parseReference(name);
    const repository = await services.openRepository(reference, 'push');
    const facts = { reference, image: image.descriptor, version: VERSION, time: services.now() };
    const { digest } = await pushReproduction(facts, repository, signal);
    env.stderr.write(`Pushed ${formatReference({ ...reference, tag: undefined, digest })}\n`);
  }
  return report(comparison, call, { style, made });
}

interface Reporting {
  readonly style: Style;
  readonly made?: Reproduced;
}

/** Prints a comparison. Returns 0 if the images are equal, apart from what is ignored, and 1 otherwise. */
function report(comparison: ImageComparison, { flags: given, env }: Call, { style, made }: Reporting): number {
  const ignored = { times: given['ignore-times'] === true, paths: given.ignore ?? [] };
  const isNormalised = ignored.times || ignored.paths.length > 0;
  const { equal, ignored: count, comparison: left } = ignoreDifferences(comparison, ignored);
  const notes = made?.notes ?? [];
  if (style === 'json') {
    const normalised = isNormalised ? { normalised: { equal, ignored: count } } : {};
    env.stdout.write(
      `${JSON.stringify({ rebuilt: made === undefined ? undefined : true, notes, ...comparison, ...normalised }, null, 2)}\n`,
    );
  } else {
    env.stdout.write(notes.map((note) => `Note: ${note}\n`).join(''));
    if (isNormalised && equal && !comparison.equal)
      env.stdout.write(`Equal apart from ${count} ignored ${count === 1 ? 'difference' : 'differences'}\n`);
    else env.stdout.write(printComparison(isNormalised ? left : comparison));
  }
  return (isNormalised ? equal : comparison.equal) ? 0 : 1;
}
