import { TbuildError } from '@tbuild/errors';
import { parsePlace } from '@tbuild/images';
import { formatPlatform, formatReference, type Platform, type Reference } from '@tbuild/oci';
import {
  archiveNamed,
  compareImages,
  openPlace,
  platformsOf,
  pushReproduction,
  readImage,
  type ImagePlace,
} from '@tbuild/verify';
import { VERSION } from '../../startup/version.ts';
import { reproduce } from './reproduce.ts';
import { NOT_COMPARED, verdictOn, type Verdict, type VerifyRun } from './verdict.ts';

/** Builds an image again, or each image of an index, and compares. */
export async function verifyImage(run: VerifyRun): Promise<readonly Verdict[]> {
  const { words, flags, places, signal } = run;
  const [name = ''] = words;
  const subject = flags.attest === true ? subjectOf(name, run) : undefined;
  const place = await openPlace(name, places, signal);
  const offered = await platformsOf(place, signal);
  const wanted = run.platforms ?? offered;
  const verdicts: Verdict[] = [];
  for (const platform of wanted.length === 0 ? [undefined] : wanted)
    verdicts.push(await verifyOne({ place, platform, isAsked: offered.length > 1, subject }, run));
  return verdicts;
}

/** @throws TbuildError USAGE for an image that cannot get statements. */
function subjectOf(name: string, { places }: VerifyRun): Reference {
  const place = archiveNamed(name, places) === undefined ? parsePlace(name, places.cwd) : undefined;
  if (place?.kind === 'registry') return place.reference;
  throw new TbuildError('USAGE', '--attest needs an image in a registry', { hint: 'Push the image first' });
}

interface Wanted {
  readonly place: ImagePlace;
  /** That of the image if it is in no index. */
  readonly platform?: Platform;
  readonly isAsked: boolean;
  /** The image in a registry that gets the statement. */
  readonly subject?: Reference;
}

async function verifyOne({ place, platform: wanted, isAsked, subject }: Wanted, run: VerifyRun): Promise<Verdict> {
  const { services, env, signal, places, directory } = run;
  const image = await readImage(place, wanted ?? services.platform, signal);
  const own = image.config.platform;
  const platform = wanted ?? (own.architecture === '' ? services.platform : own);
  const name = formatPlatform(platform);
  const made = await reproduce(image, run, { platform, isAsked, places, directory });
  if (made.failure !== undefined) {
    env.stderr.write(made.failure.text);
    const document = { rebuilt: false, reason: made.failure.message };
    return { platform: name, equal: false, exitCode: NOT_COMPARED, text: '', document };
  }
  const comparison = await compareImages(image, made.image, signal);
  if (subject !== undefined && comparison.equal) {
    const repository = await services.openRepository(subject, 'push');
    const facts = { reference: subject, image: image.descriptor, version: VERSION, time: services.now() };
    const { digest } = await pushReproduction(facts, repository, signal);
    env.stderr.write(`Pushed ${formatReference({ ...subject, tag: undefined, digest })}\n`);
  }
  return verdictOn(comparison, run, { platform: name, notes: made.notes, rebuilt: true });
}
