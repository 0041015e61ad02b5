/** The version of the program, replaced by the bundler from its package. */
declare const TBUILD_VERSION: string;

export const VERSION: string = TBUILD_VERSION;
