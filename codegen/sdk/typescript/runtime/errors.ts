/**
 * What a call may reject with.
 *
 * APIError
 * ├── ConnectionFailed          no answer came
 * │   └── TimedOut              the time for one ran out
 * ├── ResponseInvalid           an answer that is not what its media type says
 * ├── StreamFailed              a stream that told why it ended
 * └── StatusError               an answer of 300 or more
 *     ├── NotModified           304
 *     ├── BadRequest            400
 *     ├── Unauthorized          401
 *     ├── Forbidden             403
 *     ├── NotFound              404
 *     ├── MethodNotAllowed      405
 *     ├── RequestTimeout        408
 *     ├── Conflict              409
 *     ├── Gone                  410
 *     ├── PreconditionFailed    412
 *     ├── PayloadTooLarge       413
 *     ├── UnsupportedMediaType  415
 *     ├── Invalid               422
 *     ├── Locked                423
 *     ├── RateLimited           429
 *     └── ServerError           500 and more
 *         ├── NotOffered        501
 *         └── Unavailable       503
 */

/** One broken clause of the contract; `source` is `file:line` of the contract, where the server tells it. */
export interface Violation {
  pointer: string;
  location: string;
  rule: string;
  message: string;
  source: string | undefined;
}

/** The base of all that a call rejects with on purpose. */
export class APIError extends Error {
  /** The operationId. */
  readonly operation: string;

  constructor(message: string, operation: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.operation = operation;
  }
}

/** No answer came. The server may have acted: a repeat with `idempotencyKey` is safe. */
export class ConnectionFailed extends APIError {
  readonly idempotencyKey: string | undefined;

  constructor(message: string, operation: string, idempotencyKey: string | undefined, options?: ErrorOptions) {
    super(message, operation, options);
    this.idempotencyKey = idempotencyKey;
  }
}

/** No answer came in time. */
export class TimedOut extends ConnectionFailed {}

/** An answer is not what its media type says. */
export class ResponseInvalid extends APIError {
  readonly status: number;
  readonly requestId: string | undefined;

  constructor(message: string, operation: string, response: Response, options?: ErrorOptions) {
    super(message, operation, options);
    this.status = response.status;
    this.requestId = response.headers.get("x-request-id") ?? undefined;
  }
}

/** The server ended a stream with an error; `error` is what it said. */
export class StreamFailed extends APIError {
  readonly error: unknown;

  constructor(operation: string, error: unknown) {
    super(textOf(error) ?? "the stream ended with an error", operation);
    this.error = error;
  }
}

/** An answer of 300 or more. */
export class StatusError extends APIError {
  readonly status: number;
  /** The problem's own stable name; undefined when it has none. */
  readonly code: string | undefined;
  /** Every broken clause of the request. */
  readonly violations: readonly Violation[];
  /** What the server's log calls the request. */
  readonly requestId: string | undefined;
  /** When to come back (seconds), if told. */
  readonly retryAfterSeconds: number | undefined;
  /** What a repeat of the call must send as its `idempotencyKey`. */
  readonly idempotencyKey: string | undefined;
  readonly headers: Headers;
  /** The problem as plain data, or its text. */
  readonly body: unknown;

  constructor(operation: string, response: Response, body: unknown, idempotencyKey: string | undefined) {
    const { code, violations, detail } = readProblem(body);
    const clauses = violations.map((violation) => `${violation.pointer}: ${violation.message}`);
    super([String(response.status), code, detail, ...clauses].filter(Boolean).join(" · "), operation);
    this.status = response.status;
    this.code = code;
    this.violations = violations;
    this.requestId = response.headers.get("x-request-id") ?? undefined;
    this.retryAfterSeconds = retryAfterSeconds(response);
    this.idempotencyKey = idempotencyKey;
    this.headers = response.headers;
    this.body = body;
  }
}

/** 304: what `ifNoneMatch` named is still current. */
export class NotModified extends StatusError {}
/** 400. */
export class BadRequest extends StatusError {}
/** 401: no credential, or none that is known. */
export class Unauthorized extends StatusError {}
/** 403: the caller may not do this. */
export class Forbidden extends StatusError {}
/** 404: there is none, or none that the caller may know of. */
export class NotFound extends StatusError {}
/** 405. */
export class MethodNotAllowed extends StatusError {}
/** 408: the server waited too long for the request. */
export class RequestTimeout extends StatusError {}
/** 409: the state of the resource forbids it. */
export class Conflict extends StatusError {}
/** 410. */
export class Gone extends StatusError {}
/** 412: what `ifMatch` named is no longer current. */
export class PreconditionFailed extends StatusError {}
/** 413. */
export class PayloadTooLarge extends StatusError {}
/** 415. */
export class UnsupportedMediaType extends StatusError {}
/** 422: the request breaks the contract; see `violations`. */
export class Invalid extends StatusError {}
/** 423. */
export class Locked extends StatusError {}
/** 429: too many requests; see `retryAfterSeconds`. */
export class RateLimited extends StatusError {}
/** 500 and more. */
export class ServerError extends StatusError {}
/** 501: the server is not set up for this. */
export class NotOffered extends ServerError {}
/** 503: not now. */
export class Unavailable extends ServerError {}

/** Return the error of an answer of 300 or more. */
export function statusError(
  operation: string,
  response: Response,
  body: unknown,
  idempotencyKey: string | undefined,
): StatusError {
  return new (classOf(response.status))(operation, response, body, idempotencyKey);
}

function classOf(status: number): typeof StatusError {
  switch (status) {
    case 304: return NotModified;
    case 400: return BadRequest;
    case 401: return Unauthorized;
    case 403: return Forbidden;
    case 404: return NotFound;
    case 405: return MethodNotAllowed;
    case 408: return RequestTimeout;
    case 409: return Conflict;
    case 410: return Gone;
    case 412: return PreconditionFailed;
    case 413: return PayloadTooLarge;
    case 415: return UnsupportedMediaType;
    case 422: return Invalid;
    case 423: return Locked;
    case 429: return RateLimited;
    case 501: return NotOffered;
    case 503: return Unavailable;
    default: return status >= 500 ? ServerError : StatusError;
  }
}

/** Return how long the server asks to stay away (seconds), by Retry-After or an exhausted RateLimit. */
export function retryAfterSeconds(response: Response): number | undefined {
  let after = response.headers.get("retry-after");
  if (after === null && response.status === 429 && response.headers.get("ratelimit-remaining") === "0") {
    after = response.headers.get("ratelimit-reset");
  }
  if (after === null) return undefined;
  if (/^\d+$/.test(after)) return Number(after);
  const moment = Date.parse(after);
  return Number.isNaN(moment) ? undefined : Math.max(0, (moment - Date.now()) / 1000);
}

type Members = Record<string, unknown>;

/**
 * Return code, violations and message of a problem in any of the known shapes: RFC 9457 members stand at the top,
 * others inside `error`, which may keep code and violations in `details`.
 */
function readProblem(body: unknown): { code: string | undefined; violations: Violation[]; detail: string | undefined } {
  const top = members(body);
  const inner = members(top["error"]);
  const details = inner["details"];
  const places = [top, inner, members(details)];
  const code = places.map((place) => place["code"]).find((value) => typeof value === "string");
  const rows = [...places.map((place) => place["errors"]), details].find(Array.isArray) ?? [];
  const detail = places.map(textOf).find((text) => text !== undefined);
  return { code, violations: rows.map(violation), detail };
}

function textOf(value: unknown): string | undefined {
  const place = members(value);
  return ["detail", "message", "title"].map((name) => place[name]).find((text) => typeof text === "string");
}

function violation(row: unknown): Violation {
  const place = members(row);
  const text = (name: string): string => String(place[name] ?? "");
  const source = place["source"];
  return {
    pointer: text("pointer"),
    location: text("location"),
    rule: text("rule"),
    message: text("message"),
    source: typeof source === "string" ? source : undefined,
  };
}

function members(value: unknown): Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Members) : {};
}
