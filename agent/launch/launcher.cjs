#!/usr/bin/env node
'use strict';
// Runs the bundle through V8's code cache. The cache is named by the bundle's hash: V8 itself compares only the source's length.
// A cache made by another Node is rejected by V8 and the bundle is compiled as usual: slower, never wrong.
const fs = require('fs');
const vm = require('vm');
const file = `${__dirname}/plugd.@HASH@.cjs`;
const cache = `${__dirname}/plugd.@HASH@.cache`;
let cachedData;
try {
  cachedData = fs.readFileSync(cache);
} catch {
  // Not built yet, or removed: compiled without.
}
const script = new vm.Script(fs.readFileSync(file, 'utf8'), { filename: file, cachedData });
if (process.env.PLUGD_CODE_CACHE === 'write') {
  process.on('exit', () => fs.writeFileSync(cache, script.createCachedData()));
}
script.runInThisContext()(require, module, exports, require('url').pathToFileURL(file).href, __dirname);
