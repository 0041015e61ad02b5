import { createLayerVariants, requireCompression, type VariantStore } from '@tbuild/layers';
import type { OutputSpec } from '@tbuild/spec';
import { dockerArchive } from './archive/docker-archive.ts';
import { ociArchive, ociLayout } from './archive/oci-archive.ts';
import { checkDestination, whereItLeadsNow } from './check-destination.ts';
import { load, type LoadOptions, requireIndexStore } from './engine/load.ts';
import type { ExporterContext, Surroundings } from './exporter-context.ts';
import type { Exporter } from './exporter.ts';
import { imageStore } from './image-store.ts';
import { push } from './push.ts';
import { localTree } from './tree/local-tree.ts';
import { tarTree } from './tree/tar-tree.ts';

type Output<Type extends OutputSpec['type']> = Extract<OutputSpec, { readonly type: Type }>;

/** Makes the exporters of any output, as createExporters does. */
export async function exportersOf(output: OutputSpec, context: ExporterContext): Promise<readonly Exporter[]> {
  if (output.type === 'cacheonly') return [];
  if (output.type === 'image') return imageExporters(output, context);
  if (output.destination !== undefined)
    await checkDestination(output.destination, isDirectory(output) ? 'directory' : 'file');
  const surroundings = await context.surroundings();
  if (output.type === 'docker' && output.severalPlatforms === true)
    await requireIndexStore(loadOptions(output, context, surroundings), new AbortController().signal);
  const exporter = fileExporter(output, context, surroundings);
  return [output.destination === undefined ? exporter : whereItLeadsNow(output.destination, exporter)];
}

function isDirectory(output: OutputSpec): boolean {
  return output.type === 'local' || (output.type === 'oci' && !output.tar);
}

/** The store keeps what is pushed, so that its digest is the registry's. */
function imageExporters(output: Output<'image'>, context: ExporterContext): readonly Exporter[] {
  const { content, refs, openRepository } = context;
  const {
    type: _,
    push: pushes,
    store: keep = true,
    byDigest = false,
    names: __,
    insecure: ___,
    epoch: ____,
    ...format
  } = output;
  requireCompression(format);
  const store = storeOf(context);
  const { compression = pushes ? 'gzip' : undefined } = format;
  const kept = keep && !byDigest ? [imageStore({ content, refs, store, ...format, compression })] : [];
  return pushes ? [...kept, push({ openRepository, store, byDigest, ...format })] : kept;
}

function fileExporter(
  output: Output<'docker' | 'oci' | 'tar' | 'local'>,
  context: ExporterContext,
  surroundings: Surroundings,
): Exporter {
  const { flavour } = context;
  const { owner, openDestination } = surroundings;
  switch (output.type) {
    case 'docker': {
      const { type: _, destination: path, engineContext: __, severalPlatforms: ___, names: ____, ...format } = output;
      requireCompression(format);
      if (path !== undefined)
        return dockerArchive({ destination: openDestination(path), store: storeOf(context), ...format });
      return load(loadOptions(output, context, surroundings));
    }
    case 'oci': {
      const { type: _, destination: path, tar, names: __, ...format } = output;
      requireCompression(format);
      const options = { store: storeOf(context), ...format };
      return tar
        ? ociArchive({ destination: openDestination(path), ...options })
        : ociLayout({ destination: path, ...options });
    }
    case 'tar': {
      const { destination: path, platformSplit } = output;
      return tarTree({ destination: openDestination(path), flavour, platformSplit });
    }
    case 'local': {
      const { destination, mode, from, platformSplit } = output;
      return localTree({ destination, mode, from, flavour, owner, platformSplit });
    }
  }
}

function loadOptions(
  { engineContext }: Output<'docker'>,
  { content, store }: ExporterContext,
  { dockerAddress, engineName, programs }: Surroundings,
): LoadOptions {
  return { docker: dockerAddress(engineContext), engineName, programs, content, directory: store.run };
}

function storeOf({ content, store }: ExporterContext): VariantStore {
  return { content, variants: createLayerVariants(store) };
}
