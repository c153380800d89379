/** One operation of the contract as plain data, and a call of it written as a request; free of any transport. */
import { multipart, urlencoded } from "./forms.js";
import type { CallOptions } from "./options.js";
import { fileContent, fileOf, type Content } from "./uploads.js";

/** How a parameter that is not a plain text travels. */
export interface ParameterStyle {
  readonly style?: "form" | "spaceDelimited" | "pipeDelimited" | "deepObject" | "simple";
  readonly explode?: boolean;
  readonly json?: boolean;
}

/** Where the items of a page and the next position are. */
export interface Paging {
  readonly kind: "keyset" | "offset";
  readonly parameter: string;
  readonly limit: string;
  /** JSON pointers into the reply. */
  readonly items: string;
  readonly next?: string;
  /** The page's length when none is asked for. */
  readonly defaultLimit?: number;
}

/**
 * A stream's events. names: those that the contract names; empty where it names none: then any event is read. plain: there
 * are only unnamed events, or any, and a reader gets their data alone. cursor: the header that resumes; start: the query parameter that sets the first position and is left out once there is a cursor.
 */
export interface Events {
  readonly names: readonly string[];
  readonly plain?: boolean;
  readonly cursor?: string;
  readonly start?: string;
}

export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly security?: readonly (readonly string[])[];
  readonly idempotent?: boolean;
  /** Media type of the body. */
  readonly body?: string;
  /** Field of a form that is a list → what stands between its items, where they are one text. */
  readonly separators?: Readonly<Record<string, string>>;
  /** Media types of the successes. */
  readonly accept?: readonly string[];
  /** Statuses of redirects that are successes, as where a log-in begins. */
  readonly redirects?: readonly number[];
  /** Argument, for the path `{name}` → how it is written where that is not the default of its location. */
  readonly styles?: Readonly<Record<string, ParameterStyle>>;
  /** Argument → name of the header or cookie. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: Readonly<Record<string, string>>;
  readonly paging?: Paging;
  readonly events?: Events;
  readonly deprecated?: string;
  /** Address of the server that the contract names for this operation alone. */
  readonly server?: string;
}

/** The arguments of a call. path: by name in the path's template. params: query, header and cookie parameters. */
export interface Arguments {
  readonly path?: Readonly<Record<string, unknown>>;
  readonly params?: object | undefined;
  readonly body?: unknown;
}

/** A request ready to be sent but for its credentials; `body` makes the body anew for each try. */
export interface Prepared {
  readonly operation: Operation;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Pairs of the query whose items commas separate, encoded. */
  readonly joined: readonly string[];
  readonly headers: Headers;
  readonly body: () => Promise<Content>;
  readonly idempotencyKey: string | undefined;
}

/** Write a call as a request; throws TypeError where a path parameter is empty and would change the path. */
export function prepare(operation: Operation, given: Arguments, options: CallOptions, newKey: () => string): Prepared {
  const headers = new Headers({ accept: operation.accept?.join(", ") || "*/*" });
  const query = new URLSearchParams();
  const joined: string[] = [];
  for (const [argument, value] of Object.entries(given.params ?? {})) {
    if (value !== undefined) place(operation, argument, value, headers, query, joined);
  }
  const idempotencyKey = options.idempotencyKey ?? (operation.idempotent ? newKey() : undefined);
  if (idempotencyKey !== undefined) headers.set("idempotency-key", idempotencyKey);
  if (options.ifMatch !== undefined) headers.set("if-match", options.ifMatch);
  if (options.ifNoneMatch !== undefined) headers.set("if-none-match", options.ifNoneMatch);
  const body = writer(operation, given.body, headers);
  for (const [name, value] of Object.entries(options.headers ?? {})) headers.set(name, value);
  return { operation, path: fillPath(operation, given.path ?? {}), query, joined, headers, body, idempotencyKey };
}

/** Say whether a second try does no harm when the first may have arrived. */
export function isRepeatable(prepared: Prepared): boolean {
  return prepared.idempotencyKey !== undefined || ["GET", "HEAD", "OPTIONS", "PUT"].includes(prepared.operation.method);
}

/** Return the value at a JSON pointer; undefined when there is none. */
export function at(value: unknown, pointer: string): unknown {
  let found: unknown = value;
  for (const token of pointer.split("/").slice(1)) {
    if (typeof found !== "object" || found === null) return undefined;
    found = (found as Record<string, unknown>)[token.replaceAll("~1", "/").replaceAll("~0", "~")];
  }
  return found;
}

function fillPath(operation: Operation, values: Readonly<Record<string, unknown>>): string {
  return operation.path.replace(/\{([^}]+)\}/g, (_, name: string) => {
    const segment = simple(name, values[name] ?? "", operation.styles?.[`{${name}}`], encodeURIComponent);
    if (segment === "" || segment === "." || segment === "..") {
      throw new TypeError(`${name} must name something; ${JSON.stringify(values[name])} would change the path`);
    }
    return segment;
  });
}

/** Return a parameter as one text, as paths, headers and cookies carry it. written: what becomes of each word. */
function simple(name: string, value: unknown, { explode, json }: ParameterStyle = {}, written = (word: string) => word): string {
  if (json) return written(JSON.stringify(value));
  if (typeof value !== "object" || value === null) return written(text(value));
  const words = separate(name, items(value), ",").map(written);
  if (explode !== true || !isObject(value)) return words.join(",");
  return members(value).map((_, index) => `${words[2 * index]}=${words[2 * index + 1]}`).join(",");
}

function place(operation: Operation, argument: string, value: unknown, headers: Headers, query: URLSearchParams, joined: string[]): void {
  const header = operation.headers?.[argument];
  const cookie = operation.cookies?.[argument];
  const style = operation.styles?.[argument] ?? {};
  if (header !== undefined) headers.set(header, bytesOf(simple(header, value, style)));
  else if (cookie !== undefined) {
    const pair = `${cookie}=${encodeURIComponent(simple(cookie, value, style))}`;
    headers.set("cookie", [headers.get("cookie"), pair].filter(Boolean).join("; "));
  } else if (isCommaSeparated(value, style)) {
    joined.push(`${encodeURIComponent(argument)}=${items(value).map(encodeURIComponent).join(",")}`);
  } else for (const [key, text] of pairs(argument, value, style)) query.append(key, text);
}

/** Return the pairs that a parameter becomes in a query (OpenAPI 3.1, Style Values). */
function pairs(name: string, value: unknown, { style = "form", explode, json }: ParameterStyle): [string, string][] {
  const spread = explode ?? style === "form";
  if (json) return [[name, JSON.stringify(value)]];
  if (style === "deepObject") return deep(name, value);
  if (Array.isArray(value) && spread) return value.map((item) => [name, text(item)]);
  if (isObject(value) && spread) return members(value).map(([key, item]) => [key, text(item)]);
  const separator = { spaceDelimited: " ", pipeDelimited: "|" }[style as string];
  if (separator === undefined || typeof value !== "object") return [[name, text(value)]];
  return [[name, separate(name, items(value), separator).join(separator)]];
}

function deep(name: string, value: unknown): [string, string][] {
  if (Array.isArray(value)) return value.map((item) => [name, text(item)]);
  return isObject(value) ? members(value).flatMap(([key, item]) => deep(`${name}[${key}]`, item)) : [[name, text(value)]];
}

/** Say whether commas separate a parameter's items: they are no part of these, and are not percent-encoded. */
function isCommaSeparated(value: unknown, { style = "form", explode, json }: ParameterStyle): boolean {
  return style === "form" && explode === false && !json && typeof value === "object" && value !== null;
}

/** Return the texts of an array, those of an object's names and members in turn, or the one text of anything else. */
function items(value: unknown): string[] {
  if (Array.isArray(value)) return value.map(text);
  return isObject(value) ? members(value).flat().map(text) : [text(value)];
}

/** Return a text as fetch takes it in a header, a letter for each byte of its UTF-8. */
function bytesOf(value: string): string {
  return /^[\x00-\x7f]*$/.test(value) ? value : Array.from(new TextEncoder().encode(value), (byte) => String.fromCharCode(byte)).join("");
}

/** Return items none of which holds what separates them: it would be read as two. */
function separate(name: string, listed: string[], separator: string): string[] {
  const found = listed.find((item) => item.includes(separator));
  if (found !== undefined) throw new TypeError(`${name}: ${JSON.stringify(found)} holds "${separator}", which separates the items`);
  return listed;
}

function oneText(name: string, value: unknown, separator: string | undefined): unknown {
  return separator !== undefined && Array.isArray(value) ? separate(name, items(value), separator).join(separator) : value;
}

function members(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, item]) => item !== undefined);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

function writer(operation: Operation, body: unknown, headers: Headers): () => Promise<Content> {
  if (body === undefined || operation.body === undefined) return async () => contentOf(undefined);
  const { separators } = operation;
  if (separators !== undefined) body = Object.fromEntries(members(body as object).map(([name, value]) => [name, oneText(name, value, separators[name])]));
  if (operation.body === "multipart/form-data") return () => multipart(body as object);
  const isRange = operation.body.includes("*");
  if (!isRange) headers.set("content-type", operation.body);
  if (operation.body === "application/x-www-form-urlencoded") {
    const form = urlencoded(body as object);
    return async () => contentOf(form);
  }
  if (typeof body === "string" || /json/.test(operation.body)) {
    const content = /json/.test(operation.body) ? JSON.stringify(body) : (body as string);
    return async () => contentOf(content);
  }
  return async () => {
    const file = await fileOf(body);
    if (file === undefined) throw new TypeError(`${operation.id} sends a text, bytes, a Blob or a file`);
    const content = await fileContent(file);
    return isRange && !headers.has("content-type") ? { ...content, headers: { ...content.headers, "content-type": file.type } } : content;
  };
}

function contentOf(body: BodyInit | undefined): Content {
  return { body, headers: {} };
}
