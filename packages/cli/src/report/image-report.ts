import { formatPlatform, type Platform } from '@tbuild/oci';
import { type ImageFacts, type ReportTable, surveyImage } from '@tbuild/report';
import { type ImagePlace, platformsOf, readImage } from '@tbuild/verify';
import { statementTables } from './statement-tables.ts';

/** What a page shows of images. */
export interface ImageReport {
  readonly images: readonly ImageFacts[];
  readonly tables: readonly ReportTable[];
}

/**
 * Reads an image, or all images of an index, with everything in them.
 * @throws TbuildError NOT_FOUND, DIGEST_MISMATCH, SNAPSHOT.
 */
export async function reportImages(place: ImagePlace, own: Platform, signal: AbortSignal): Promise<ImageReport> {
  const images: ImageFacts[] = [];
  const tables: ReportTable[] = [];
  const platforms = await platformsOf(place, signal);
  for (const platform of platforms.length === 0 ? [own] : platforms) {
    const image = await readImage(place, platform, signal);
    images.push(await surveyImage(image, place.name, { content: place.content, signal }));
    tables.push(...statementTables(image.statements, formatPlatform(image.config.platform)));
  }
  return { images, tables };
}
