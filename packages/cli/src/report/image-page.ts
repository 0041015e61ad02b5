import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Services } from '@tbuild/builder';
import { findImage } from '@tbuild/images';
import { type ReportTable, renderPage } from '@tbuild/report';
import type { Environment } from '../config/environment.ts';
import { VERSION } from '../startup/version.ts';
import { type ImageReport, reportImages } from './image-report.ts';

/** A page about images. */
export interface ImagePage {
  readonly title: string;
  /** Images of the store. */
  readonly names: readonly string[];
  /** Tables before those of the images. */
  readonly tables?: readonly ReportTable[];
}

/**
 * Writes a page about images to a file.
 * @throws TbuildError NOT_FOUND, SNAPSHOT.
 */
export async function writeImagePage(
  { title, names, tables = [] }: ImagePage,
  file: string,
  { services, env, signal }: { readonly services: Services; readonly env: Environment; readonly signal: AbortSignal },
): Promise<void> {
  const reports: ImageReport[] = [];
  const { content, platform } = services;
  for (const name of new Set(names)) {
    const { target: root } = findImage(name, services);
    reports.push(await reportImages({ name, root, content }, platform, signal));
  }
  const page = renderPage({
    title,
    madeBy: `tbuild ${VERSION}`,
    images: reports.flatMap(({ images }) => images),
    tables: [...tables, ...reports.flatMap((report) => report.tables)],
  });
  writeFileSync(resolve(env.cwd, file), page);
}
