/** plugd as a library: named re-exports only. */
export { VERSION } from './base/version.ts';
export { PlugdError, type ErrorCode } from './base/error.ts';
