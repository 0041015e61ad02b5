import { formatPlatform, samePlatform, type Platform } from '@tbuild/oci';
import { compareImages, openPlace, platformsOf, readImage, type ImagePlace } from '@tbuild/verify';
import { verdictOn, type Verdict, type VerifyRun } from './verdict.ts';

/** Compares two images: those of all platforms if both are indexes, else that of the one that is none. */
export async function comparePair(run: VerifyRun): Promise<readonly Verdict[]> {
  const { words, signal } = run;
  const [first, second] = await Promise.all(words.map((name) => offered(name, run)));
  if (first === undefined || second === undefined) throw new Error('Expected two images');
  const both = [first, second];
  const narrow = both.find(({ isIndex }) => !isIndex);
  const wanted = run.platforms ?? narrow?.platforms ?? [...first.platforms, ...second.platforms];
  const unique = new Map(wanted.map((platform) => [formatPlatform(platform), platform]));
  const verdicts: Verdict[] = [];
  for (const [name, platform] of unique) {
    const lacking = both.filter((one) => one.isIndex && !has(one, platform));
    if (lacking.length === 1 && narrow === undefined) {
      verdicts.push(missing(name, lacking[0] === first ? second : first));
      continue;
    }
    const read = ({ place }: Offered) => readImage(place, platform, signal);
    const comparison = await compareImages(await read(first), await read(second), signal);
    verdicts.push(verdictOn(comparison, run, { platform: name, notes: [] }));
  }
  return verdicts;
}

interface Offered {
  readonly place: ImagePlace;
  readonly platforms: readonly Platform[];
  readonly isIndex: boolean;
}

async function offered(name: string, { places, services, signal }: VerifyRun): Promise<Offered> {
  const place = await openPlace(name, places, signal);
  const platforms = await platformsOf(place, signal);
  if (platforms.length > 0) return { place, platforms, isIndex: true };
  const { config } = await readImage(place, services.platform, signal);
  return { place, platforms: [config.platform], isIndex: false };
}

function has({ platforms }: Offered, wanted: Platform): boolean {
  return platforms.some((platform) => samePlatform(platform, wanted));
}

function missing(platform: string, { place }: Offered): Verdict {
  const problem = `Only ${place.name} has an image for ${platform}`;
  return { platform, equal: false, exitCode: 1, text: `Different: ${problem}\n`, document: { equal: false, problem } };
}
