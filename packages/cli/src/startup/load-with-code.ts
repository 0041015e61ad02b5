/**
 * A script for Node that loads the program `TBUILD_MAIN` with the code in the file `TBUILD_CODE`, or writes the code there that was
 * compiled until the process ends, if there is none. From version 22 on, Node refuses the code while it makes a snapshot.
 */
export const LOAD_WITH_CODE = `
const { existsSync, readFileSync, writeFileSync } = require('fs');
const { dirname } = require('path');
const { startupSnapshot } = require('v8');
const { Script } = require('vm');
const { TBUILD_MAIN: main, TBUILD_CODE: code } = process.env;
const cachedData = existsSync(code) ? readFileSync(code) : undefined;
const script = new Script(require('module').wrap(readFileSync(main, 'latin1')), { filename: main, cachedData });
if (!startupSnapshot.isBuildingSnapshot()) process.on('exit', () => writeFileSync(code, script.createCachedData()));
script.runInThisContext()({}, require, { exports: {} }, main, dirname(main));
`;
