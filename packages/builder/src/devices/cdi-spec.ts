import { TbuildError } from '@tbuild/errors';
import { recordOf } from '@tbuild/oci';

/** A device of a specification of the Container Device Interface. */
export interface CdiDevice {
  /** `vendor.com/class=name`. */
  readonly name: string;
  /** Those of the specification, and of the device, which win. */
  readonly annotations: Readonly<Record<string, string>>;
  /** What its containers get: that of the specification, then that of the device. */
  readonly edits: readonly ContainerEdits[];
}

/** What a container gets for a device. */
export interface ContainerEdits {
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly nodes: readonly { readonly path: string; readonly hostPath: string }[];
  readonly mounts: readonly { readonly hostPath: string; readonly containerPath: string; readonly readonly: boolean }[];
  readonly hooks: readonly CdiHook[];
}

/** A program that a runtime starts as root of the machine. */
export interface CdiHook {
  /** When it is started, such as `createContainer`. */
  readonly name: string;
  readonly path: string;
  readonly args: readonly string[];
}

const KIND = /^[A-Za-z][A-Za-z0-9_.-]*[A-Za-z0-9]\/[A-Za-z][A-Za-z0-9_-]*$/;

/**
 * Reads a specification that was parsed as JSON or YAML. `file` names it in messages.
 * @throws TbuildError UNSUPPORTED for one that has another form.
 */
export function readCdiSpec(value: unknown, file: string): readonly CdiDevice[] {
  const fault = (what: string): TbuildError =>
    new TbuildError('UNSUPPORTED', `The CDI specification ${JSON.stringify(file)} ${what}`, {
      hint: 'Write it again with the tool of the vendor, or move it out of the directory',
    });
  const spec = recordOf(value);
  const kind = textOf(spec.kind);
  if (textOf(spec.cdiVersion) === '') throw fault('has no cdiVersion');
  if (!KIND.test(kind)) throw fault(`has the kind ${JSON.stringify(kind)}: expected vendor.com/class`);
  const common = editsOf(spec.containerEdits);
  return listOf(spec.devices).map((one) => {
    const device = recordOf(one);
    const name = textOf(device.name);
    if (name === '') throw fault('has a device without a name');
    return {
      name: `${kind}=${name}`,
      annotations: { ...textsOf(spec.annotations), ...textsOf(device.annotations) },
      edits: [common, editsOf(device.containerEdits)],
    };
  });
}

function editsOf(value: unknown): ContainerEdits {
  const edits = recordOf(value);
  return {
    env: listOf(edits.env)
      .map(textOf)
      .filter((entry) => /^[^=]+=/.test(entry)),
    nodes: listOf(edits.deviceNodes)
      .map(recordOf)
      .map(({ path, hostPath }) => ({ path: textOf(path), hostPath: textOf(hostPath) || textOf(path) }))
      .filter(({ path }) => path.startsWith('/')),
    mounts: listOf(edits.mounts)
      .map(recordOf)
      .map(({ hostPath, containerPath, options }) => ({
        hostPath: textOf(hostPath),
        containerPath: textOf(containerPath),
        readonly: listOf(options).includes('ro'),
      }))
      .filter(({ hostPath, containerPath }) => hostPath.startsWith('/') && containerPath.startsWith('/')),
    hooks: listOf(edits.hooks)
      .map(recordOf)
      .map(({ hookName, path, args }) => ({
        name: textOf(hookName),
        path: textOf(path),
        args: listOf(args).map(textOf),
      })),
  };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** YAML may read `true` as no text. */
function textsOf(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(recordOf(value)).map(([name, text]) => [name, String(text)]));
}
