/** The version of the program; the bundler takes it from the manifest. */
declare const TBUILD_VERSION: string;

export const VERSION: string = TBUILD_VERSION;
