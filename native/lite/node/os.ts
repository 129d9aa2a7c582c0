/** node:os for plugd-lite. */
import type * as Os from 'node:os';
import { ERRNO } from '../../../agent/base/errno.ts';
import { host } from '../host.ts';

const functions: Pick<typeof Os, 'release' | 'machine' | 'availableParallelism'> = {
  release: () => host.release(),
  machine: () => host.machine(),
  availableParallelism: () => host.processors(),
};

export const { release, machine, availableParallelism } = functions;

/** The error numbers that plugd knows. */
export const constants = { errno: ERRNO };
