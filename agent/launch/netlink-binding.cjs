'use strict';
// netlink's own addon, found where npm puts it: in a clone or a global install below plugd, as a dependency beside it.
// node-gyp-build, which netlink uses for this, reads its package, Node's configuration and three directories first: on a slow
// machine a tenth of a second before the first driver. What this does not know is still left to it.
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
