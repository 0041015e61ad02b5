import type { GitIgnored } from '@tbuild/context';
import type { ProgressEvent } from '@tbuild/progress';

/** Warns that a context contains generated files, which git ignores. */
export function gitIgnoredWarning({ bytes, files, total, largest }: GitIgnored): ProgressEvent {
  const share = `${formatSize(bytes)} in ${files} of ${total.files} files`;
  const places = largest.map(({ path, bytes: size }) => `${path} (${formatSize(size)})`).join(', ');
  return {
    type: 'warning',
    message: `Most of the files copied from the context are ignored by git: ${share}, mainly ${places}`,
    detail: 'List files that the image does not need in .dockerignore',
  };
}

function formatSize(bytes: number): string {
  const unit =
    bytes >= 1e9 ? { size: 1e9, name: 'GB' } : bytes >= 1e6 ? { size: 1e6, name: 'MB' } : { size: 1e3, name: 'kB' };
  return `${(bytes / unit.size).toFixed(1)} ${unit.name}`;
}
