import { parseArgs, type ParseArgsConfig } from 'node:util';

/**
 * Reads the options of a program for developers. Ends the process for `--help` with the usage, and for an option that it does not
 * have with 2.
 */
export function readOptions<T extends NonNullable<ParseArgsConfig['options']>>(usage: string, options: T) {
  if (process.argv.includes('--help')) {
    console.log(`Usage: ${usage}`);
    process.exit(0);
  }
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error), usage);
  }
}

/** Returns the number that an option has. Ends the process with 2 for anything else. */
export function numberOf(option: string, value: string): number {
  return /^\d+(\.\d+)?$/.test(value) ? Number(value) : refuse(`${option} takes a number, got "${value}"`);
}

/** Ends the process with 2 and a message. */
export function refuse(message: string, usage?: string): never {
  console.error(usage === undefined ? message : `${message}\nUsage: ${usage}`);
  process.exit(2);
}
