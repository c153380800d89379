/** What a client and each of its calls can be told. */
import type { CookieJar } from "./cookies.js";
import type { Token } from "./renewal.js";

/** What one call does differently. */
export interface RequestOptions {
  /** Ends the call, its retries and its stream. */
  signal?: AbortSignal;
  /** Longest wait for an answer (ms), each try anew; a stream's is until it opens. */
  timeoutMs?: number;
  /** Tries after the first. */
  maxRetries?: number;
  /** Headers that are added, for what the contract does not name. */
  headers?: Readonly<Record<string, string>>;
}

/** Options of an operation whose effect happens once per key. */
export interface Idempotent {
  /** Instead of one made for this call. */
  idempotencyKey?: string;
}

/** Options of an operation that changes what has an ETag. */
export interface IfMatch {
  /** The ETag that must still be current (`"…"` included); else the call rejects with PreconditionFailed. */
  ifMatch?: string;
}

/** Options of an operation whose answer has an ETag. */
export interface IfNoneMatch {
  /** The ETag that is known (`"…"` included); while it is current the call rejects with NotModified. */
  ifNoneMatch?: string;
}

/** Every option there is; each operation takes those that mean something to it. */
export type CallOptions = RequestOptions & Idempotent & IfMatch & IfNoneMatch;

/** A credential, what gives the present one before each try, or a bearer token that renews itself. */
export type Credential = string | Token | (() => string | Promise<string>);

/** What a client is made with. Scheme: names of the contract's security schemes that take a text. */
export interface ClientOptions<Scheme extends string = string> {
  /** Where the service answers, without a slash at its end. */
  baseUrl: string;
  /** Credentials by scheme; each operation takes the first of its alternatives that is held whole. */
  credentials?: { readonly [name in Scheme]?: Credential };
  /** Holds a session's cookies outside of a browser, which keeps its own. One is made when absent. */
  cookies?: CookieJar;
  /** Instead of the global fetch. */
  fetch?: typeof globalThis.fetch;
  headers?: Readonly<Record<string, string>>;
  /** 30,000 when absent. */
  timeoutMs?: number;
  retry?: Partial<Retry>;
  /** A stream that is silent for so long (ms), comments included, is taken for dead and opened again; 60,000 when absent. */
  streamSilenceMs?: number;
  /** Hears once of each deprecated operation that is called; console.warn when absent. */
  onDeprecated?: (message: string) => void;
}

/**
 * When to try again: waits grow from firstMs by factor 2 up to longestMs, less a random half. What the server asks for
 * is obeyed; where it asks for more than patienceMs, the call rejects at once.
 */
export interface Retry {
  maxRetries: number;
  firstMs: number;
  longestMs: number;
  patienceMs: number;
}

export const RETRY: Retry = { maxRetries: 4, firstMs: 250, longestMs: 8000, patienceMs: 60_000 };
export const TIMEOUT_MS = 30_000;
export const STREAM_SILENCE_MS = 60_000;

/** Return how long to wait (ms) after try number `attempt` (from 0); undefined: not worth it. */
export function waitMs(retry: Retry, attempt: number, askedSeconds: number | undefined): number | undefined {
  const asked = (askedSeconds ?? 0) * 1000;
  if (asked > retry.patienceMs) return undefined;
  const grown = Math.min(retry.longestMs, retry.firstMs * 2 ** attempt);
  const own = grown * (0.5 + Math.random() / 2);
  return askedSeconds === undefined ? own : asked + own * 0.1;
}

/** Wait, unless `signal` ends it: then reject with its reason. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
