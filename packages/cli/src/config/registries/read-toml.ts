import { TbuildError } from '@tbuild/errors';
import { parse, TomlError, type TomlTable } from 'smol-toml';

/**
 * Parses a configuration file in TOML; `file` is its name in messages.
 * @throws TbuildError USAGE with the line.
 */
export function readToml(text: string, file: string): TomlTable {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason = ''] = error.message.split('\n');
    throw new TbuildError('USAGE', `Line ${error.line} of ${file} is not valid TOML: ${reason}`, { cause: error });
  }
}
