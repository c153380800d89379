/** Sends calls: credentials, timeouts, retries, and the errors that answers become. */
import { Call, type Answer } from "./call.js";
import { CookieJar } from "./cookies.js";
import { Credentials, type Schemes } from "./credentials.js";
import { APIError, ConnectionFailed, ResponseInvalid, StatusError, TimedOut, statusError } from "./errors.js";
import { isRepeatable, prepare, type Arguments, type Operation, type Prepared } from "./operation.js";
import { RETRY, STREAM_SILENCE_MS, TIMEOUT_MS, pause, waitMs } from "./options.js";
import type { CallOptions, ClientOptions, Retry } from "./options.js";
import { Pager } from "./pager.js";
import { renew, type Renewal, type Token } from "./renewal.js";
import { EventStream } from "./stream.js";

/** An answer; content is undefined while its body is unread. */
interface Received {
  readonly response: Response;
  readonly content: ArrayBuffer | undefined;
}

const NEVER_SENT = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"]);

/** A way to the service, shared by the resources that call it. */
export class Connection {
  readonly credentials: Credentials;
  readonly cookies: CookieJar;
  readonly retry: Retry;
  readonly streamSilenceMs: number;
  readonly #options: ClientOptions;
  readonly #renewal: Renewal | undefined;
  readonly #baseUrl: string;
  readonly #hasOwnServers: boolean;
  readonly #warned = new Set<string>();

  /** contractUrl: the address that the contract names; an operation that it serves elsewhere goes there while this is the base. */
  constructor(schemes: Schemes, options: ClientOptions, renewal?: Renewal, contractUrl?: string) {
    if (!("document" in globalThis) && !/^https?:\/\//i.test(options.baseUrl)) {
      throw new TypeError(`baseUrl must begin with http:// or https://, as ${JSON.stringify(options.baseUrl)} does not`);
    }
    this.cookies = options.cookies ?? new CookieJar();
    this.credentials = new Credentials(schemes, options.credentials ?? {}, this.cookies);
    this.retry = { ...RETRY, ...options.retry };
    this.streamSilenceMs = options.streamSilenceMs ?? STREAM_SILENCE_MS;
    this.#options = options;
    this.#renewal = renewal;
    this.#baseUrl = options.baseUrl.replace(/\/+$/, "");
    this.#hasOwnServers = this.#baseUrl === contractUrl;
  }

  /** Call an operation that answers once. */
  call<T>(operation: Operation, given: Arguments, options: CallOptions = {}): Call<T> {
    this.#warn(operation);
    return new Call(async (isRaw) => {
      const prepared = this.prepare(operation, given, options);
      const received = await this.send(prepared, options, { isRaw });
      return answerOf<T>(prepared, received);
    });
  }

  /** Call an operation that answers page by page. */
  pages<Item, Body>(operation: Operation, given: Arguments, options: CallOptions = {}): Pager<Item, Body> {
    return new Pager(this, operation, given, options);
  }

  /** Call an operation that answers with a stream. */
  stream<Event>(operation: Operation, given: Arguments, options: CallOptions = {}): EventStream<Event> {
    this.#warn(operation);
    return new EventStream(this, operation, given, options);
  }

  /** Write a call as a request. */
  prepare(operation: Operation, given: Arguments, options: CallOptions): Prepared {
    return prepare(operation, given, options, newKey);
  }

  /** Send a request until it succeeds or trying again is not worth it; a raw answer's body is left unread. */
  async send(prepared: Prepared, options: CallOptions, { isRaw }: { isRaw: boolean }): Promise<Received> {
    const retry = { ...this.retry, maxRetries: options.maxRetries ?? this.retry.maxRetries };
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#attempt(prepared, options, isRaw);
      } catch (error) {
        const wait = attempt < retry.maxRetries && isWorthRetrying(prepared, error, attempt > 0)
          ? waitMs(retry, attempt, error instanceof StatusError ? error.retryAfterSeconds : undefined)
          : undefined;
        if (wait === undefined) throw error;
        await pause(wait, options.signal);
      }
    }
  }

  async #attempt(prepared: Prepared, options: CallOptions, isRaw: boolean): Promise<Received> {
    const limit = new AbortController();
    const forward = (): void => limit.abort(options.signal?.reason);
    options.signal?.throwIfAborted();
    options.signal?.addEventListener("abort", forward, { once: true });
    const timeoutMs = options.timeoutMs ?? this.#options.timeoutMs ?? TIMEOUT_MS;
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      limit.abort();
    }, timeoutMs);
    try {
      const response = await this.#fetch(prepared, limit.signal);
      const isSuccess = response.ok || isDeclaredRedirect(prepared.operation, response);
      const isUnread = isRaw && isSuccess;
      const content = isUnread ? undefined : await response.arrayBuffer();
      if (!isUnread) options.signal?.removeEventListener("abort", forward);
      if (!isSuccess) throw statusError(prepared.operation.id, response, problemOf(response, content!), prepared.idempotencyKey);
      return { response, content };
    } catch (error) {
      if (error instanceof APIError) throw error;
      options.signal?.removeEventListener("abort", forward);
      options.signal?.throwIfAborted();
      const { operation, idempotencyKey } = prepared;
      if (isLate) throw new TimedOut(`no answer within ${timeoutMs} ms`, operation.id, idempotencyKey, { cause: error });
      throw new ConnectionFailed(`no answer: ${causeOf(error)}`, operation.id, idempotencyKey, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Send a request with its credentials; once more where another call has renewed the token that was refused. */
  async #fetch(prepared: Prepared, signal: AbortSignal): Promise<Response> {
    const alternative = this.credentials.choose(prepared.operation.security ?? []);
    const token = await this.#current(alternative);
    const sent = token?.value;
    const response = await this.#sendOnce(prepared, alternative, signal);
    if (response.status !== 401 || token === undefined || !(await token.hasSuccessor(sent!))) return response;
    await response.body?.cancel();
    return this.#sendOnce(prepared, alternative, signal);
  }

  async #sendOnce(prepared: Prepared, alternative: readonly string[], signal: AbortSignal): Promise<Response> {
    const headers = new Headers(this.#options.headers);
    prepared.headers.forEach((value, name) => headers.set(name, value));
    const query = new URLSearchParams(prepared.query);
    await this.credentials.apply(alternative, headers, query);
    const pairs = [query.toString().replaceAll("+", "%20"), ...prepared.joined].filter(Boolean).join("&");
    const search = pairs && `?${pairs}`;
    const content = await prepared.body();
    for (const [name, value] of Object.entries(content.headers)) headers.set(name, value);
    const body = content.body ?? null;
    const isStream = body instanceof ReadableStream ? { duplex: "half" } : {};
    const request = { method: prepared.operation.method, headers, body, signal, redirect: "manual", ...isStream } as const;
    const base = (this.#hasOwnServers && prepared.operation.server) || this.#baseUrl;
    const response = await this.#reach(`${base}${prepared.path}${search}`, request);
    content.whenSent?.();
    this.cookies.learn(response.headers);
    return response;
  }

  /** Return the token that a request will carry, renewed if it is due. */
  async #current(alternative: readonly string[]): Promise<Token | undefined> {
    const renewal = this.#renewal;
    const token = renewal && alternative.includes(renewal.scheme) ? this.credentials.token(renewal.scheme) : undefined;
    await token?.settle(() => renew(renewal!, token, (...told) => this.#exchange(...told), (attempt) => this.#patience(attempt)));
    return token;
  }

  #exchange(method: string, path: string, bearer: string): Promise<Response> {
    const headers = new Headers(this.#options.headers);
    headers.set("authorization", `Bearer ${bearer}`);
    return this.#reach(`${this.#baseUrl}${path}`, { method, headers, signal: AbortSignal.timeout(this.#options.timeoutMs ?? TIMEOUT_MS) });
  }

  #patience(attempt: number): Promise<void> {
    return pause(waitMs(this.retry, attempt, undefined) ?? 0, undefined);
  }

  #reach(url: string, request: RequestInit): Promise<Response> {
    const send = this.#options.fetch ?? globalThis.fetch;
    return send(url, request);
  }

  #warn(operation: Operation): void {
    if (operation.deprecated === undefined || this.#warned.has(operation.id)) return;
    this.#warned.add(operation.id);
    (this.#options.onDeprecated ?? console.warn)(`${operation.id}: ${operation.deprecated}`);
  }
}

/** Say whether an error may go away when the request is sent again, and sending it again is safe. */
export function isWorthRetrying(prepared: Prepared, error: unknown, wasTried: boolean): boolean {
  if (error instanceof ConnectionFailed) return isRepeatable(prepared) || wasNeverSent(error);
  if (!(error instanceof StatusError)) return false;
  switch (error.status) {
    case 429: return true;
    // Our own first try may still be running, or its transaction was in the way of another's.
    case 409: return prepared.idempotencyKey !== undefined && (wasTried || error.retryAfterSeconds !== undefined || error.code === "request_in_progress");
    case 501: return false;
    default: return (error.status === 408 || error.status >= 500) && isRepeatable(prepared);
  }
}

/** Say whether the contract calls this redirect a success; a page is not told where it leads, nor its status. */
function isDeclaredRedirect(operation: Operation, response: Response): boolean {
  return operation.redirects?.includes(response.status) === true || (response.type === "opaqueredirect" && operation.redirects !== undefined);
}

function wasNeverSent(error: ConnectionFailed): boolean {
  const cause = (error.cause as { cause?: { code?: string } } | undefined)?.cause;
  return cause?.code !== undefined && NEVER_SENT.has(cause.code);
}

function causeOf(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: { message?: string } };
  return [message, cause?.message].filter(Boolean).join(": ") || String(error);
}

function answerOf<T>(prepared: Prepared, { response, content }: Received): Answer<T> {
  return {
    data: (content === undefined ? undefined : decode(prepared.operation, response, content)) as T,
    response,
    requestId: response.headers.get("x-request-id") ?? undefined,
    etag: response.headers.get("etag") ?? undefined,
    idempotencyKey: prepared.idempotencyKey,
    isReplayed: response.headers.get("idempotency-replayed") === "true",
  };
}

/** Return a success as JSON data, as text or as a Blob, by its media type; undefined when it is empty. */
function decode(operation: Operation, response: Response, content: ArrayBuffer): unknown {
  if (content.byteLength === 0) return undefined;
  const type = mediaType(response);
  const { accept } = operation;
  const declared = !accept?.length || accept.includes(type) ? type : accept.find((range) => covers(range, type));
  if (declared === undefined) {
    throw new ResponseInvalid(`answered ${response.status} with ${type || "no media type"}`, operation.id, response);
  }
  if (/[/+]json$/.test(declared)) return parse(operation, response, content);
  return /^text\/|[/+](yaml|xml)$/.test(declared) ? new TextDecoder().decode(content) : new Blob([content], { type });
}

/** Say whether a range such as `image/*` covers a media type. */
function covers(range: string, type: string): boolean {
  return range === "*/*" || (range.endsWith("/*") && type.startsWith(range.slice(0, -1)));
}

function parse(operation: Operation, response: Response, content: ArrayBuffer): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(content));
  } catch (error) {
    throw new ResponseInvalid(`answered ${response.status} with broken JSON`, operation.id, response, { cause: error });
  }
}

function problemOf(response: Response, content: ArrayBuffer): unknown {
  const text = new TextDecoder().decode(content);
  if (!/[/+]json$/.test(mediaType(response))) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text; // a proxy's page under a JSON label is still worth showing
  }
}

function mediaType(response: Response): string {
  return (response.headers.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
}

/** Return 128 random bits; crypto.randomUUID is missing from pages without TLS. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
