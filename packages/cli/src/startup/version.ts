/** The version of the program; the bundler takes it from the manifest. */
declare const TBUILD_VERSION: string;

export const VERSION: string = TBUILD_VERSION;

/** The image of this version, for jobs of CI systems; the bundler takes its name from the manifest. */
declare const TBUILD_IMAGE: string;

export const IMAGE: string = TBUILD_IMAGE;
