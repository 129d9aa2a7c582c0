/** plugd's shipped files inside the program: in place of agent/facts/config/shipped-file.ts. */
import type * as Shipped from '../../agent/facts/config/shipped-file.ts';
import { host } from './host.ts';

/** Put in when the program is built: the texts of the files that its commands read, by their paths in the package. */
declare const PLUGD_SHIPPED: Readonly<Record<string, string>>;

export const readShippedFile: typeof Shipped.readShippedFile = (path) => {
  const text = PLUGD_SHIPPED[path];
  return text === undefined ? undefined : { file: `/usr/lib/plugd/${path}`, text };
};

export const REQUEST_HELPER: typeof Shipped.REQUEST_HELPER = 'plugd-request';

/** It stands beside the program: `npm run build:lite` makes both. */
export const requestHelper: typeof Shipped.requestHelper = () => {
  const program = host.realPath('/proc/self/exe');
  if (typeof program === 'number') return undefined;
  const helper = `${program.slice(0, program.lastIndexOf('/'))}/${REQUEST_HELPER}`;
  return host.access(helper, 1) === 0 ? helper : undefined;
};
