'use strict';
// Finds netlink's own addon where npm puts it: below plugd in a clone or a global install, beside plugd as a dependency.
// netlink uses node-gyp-build for this, which first reads its package, Node's configuration and three directories: a tenth of a second
// on a slow machine, before the first driver. Anything not found here is still left to node-gyp-build.
const { existsSync } = require('fs');

const PREBUILT = `prebuilds/linux-${process.arch}/node.napi.node`;
const folder = [`${__dirname}/../node_modules/netlink`, `${__dirname}/../../netlink`].find((place) =>
  existsSync(place),
);
const isPrebuilt = folder !== undefined && !existsSync(`${folder}/build`) && existsSync(`${folder}/${PREBUILT}`);
const external = require;
module.exports = isPrebuilt
  ? external(`${folder}/${PREBUILT}`)
  : external('node-gyp-build')(external.resolve('netlink/package.json').replace(/package\.json$/, ''));
