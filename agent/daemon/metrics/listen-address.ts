/** Where figures are served: a TCP address or a unix socket. */
import { PlugdError } from '../../base/error.ts';

/** What to listen on. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/**
 * Reads an address: `127.0.0.1:9435`, `[::1]:9435`, `localhost:9435`, `/run/plugd/metrics`. A port alone is none: it would open the figures
 * to every network. Errors: `usage`.
 */
export function listenAddress(text: string): ListenAddress {
  if (text.startsWith('/')) return { kind: 'unix', path: text };
  const [, bracketed, plain, digits = ''] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port > 65_535)
    throw new PlugdError('usage', `'${text}' is no address`, {
      remedy: 'write HOST:PORT (127.0.0.1:9435, [::1]:9435), or the path of a unix socket',
    });
  return { kind: 'tcp', host, port };
}

/** The address in words: `127.0.0.1:9435`. */
export function addressText(address: ListenAddress): string {
  if (address.kind === 'unix') return address.path;
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}
