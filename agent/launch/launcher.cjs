'use strict';
// Runs the bundle that has the command, through V8's code cache. The bundle's hash is in the cache's name, because V8 itself compares
// only the source's length. V8 rejects a cache made by another Node and compiles the bundle as usual: slower, never wrong. The owner of
// the folder then leaves a cache of what ran for the next start (code-caches.mjs makes all of them).
const fs = require('fs');
const vm = require('vm');
const parts = JSON.parse('@PARTS@');
// Under another command's name all arguments are that command's own.
const called = process.argv[1].slice(process.argv[1].lastIndexOf('/') + 1);
const isOwn = called === 'plugd' || called === 'plugd.cjs';
const word = isOwn ? (process.argv[2] ?? '-') : called;
// An action that comes first may have a bundle, too: `dkms status`.
const part = word.startsWith('-') ? 'bare' : [`${word}-${process.argv[isOwn ? 3 : 2]}`, word, 'all'].find(isPart);
const file = `${__dirname}/${parts[part]}.cjs`;
const cache = `${__dirname}/${parts[part]}.cache`;
let cachedData;
try {
  // V8 does not count the blocks of functions from a cache.
  if (process.env.NODE_V8_COVERAGE === undefined) cachedData = fs.readFileSync(cache);
} catch {
  // Not built yet, or removed: V8 compiles the bundle.
}
const script = new vm.Script(fs.readFileSync(file, 'latin1'), { filename: file, cachedData });
const isAsked = process.env.PLUGD_CODE_CACHE === 'write';
const isLacking = (cachedData === undefined || script.cachedDataRejected) && process.env.NODE_V8_COVERAGE === undefined;
if (isAsked || isLacking) {
  process.on('exit', () => {
    const fresh = `${cache}.${process.pid}`;
    try {
      if (!isAsked && fs.statSync(__dirname).uid !== process.geteuid()) return;
      fs.writeFileSync(fresh, script.createCachedData(), { flag: 'wx' });
      fs.renameSync(fresh, cache);
    } catch (error) {
      if (isAsked) throw error;
      // A file system that is read-only, or full.
      fs.rmSync(fresh, { force: true });
    }
  });
}
script.runInThisContext()(
  require,
  module,
  exports,
  `file://${encodeURI(file).replace(/[?#]/g, encodeURIComponent)}`,
  __dirname,
);

function isPart(name) {
  return Object.hasOwn(parts, name);
}
