/** Who calls: keys, bearer tokens, and a browser's session with its CSRF secret. */
import type { CookieJar } from "./cookies.js";
import type { Credential } from "./options.js";
import { Token } from "./renewal.js";

/** A security scheme. fromCookie: the cookie whose value the header must repeat. */
export interface Scheme {
  readonly kind: "cookie" | "header" | "query" | "bearer" | "basic";
  readonly parameter: string;
  readonly fromCookie?: string;
}

export type Schemes = Readonly<Record<string, Scheme>>;

/** What a client holds, by scheme of the contract. */
export class Credentials {
  readonly #schemes: Schemes;
  readonly #held: Map<string, Credential>;
  readonly cookies: CookieJar;

  constructor(schemes: Schemes, held: Readonly<Record<string, Credential | undefined>>, cookies: CookieJar) {
    this.#schemes = schemes;
    this.#held = new Map(Object.entries(held).filter((row): row is [string, Credential] => row[1] !== undefined));
    this.cookies = cookies;
  }

  /** Hold another credential; undefined holds none. */
  set(scheme: string, value: Credential | undefined): void {
    if (value === undefined) this.#held.delete(scheme);
    else this.#held.set(scheme, value);
  }

  /** Return the first alternative that is held whole; in a page its cookies are the last resort. */
  choose(security: readonly (readonly string[])[]): readonly string[] {
    return security.find((alternative) => alternative.length > 0 && alternative.every((name) => this.#holds(name))) ?? [];
  }

  /** Write an alternative into a request. */
  async apply(alternative: readonly string[], headers: Headers, query: URLSearchParams): Promise<void> {
    for (const name of alternative) await this.#write(name, headers, query);
  }

  /** Return the token of a scheme that renews itself. */
  token(scheme: string): Token | undefined {
    const held = this.#held.get(scheme);
    return held instanceof Token ? held : undefined;
  }

  #holds(name: string): boolean {
    const scheme = this.#schemes[name];
    if (scheme === undefined) return false;
    if (scheme.fromCookie !== undefined) return this.cookies.get(scheme.fromCookie) !== undefined;
    if (this.#held.has(name)) return true;
    return scheme.kind === "cookie" && (isPage() || this.cookies.get(scheme.parameter) !== undefined);
  }

  async #write(name: string, headers: Headers, query: URLSearchParams): Promise<void> {
    const scheme = this.#schemes[name]!;
    const held = this.#held.get(name);
    const cookie = scheme.fromCookie ?? (scheme.kind === "cookie" ? scheme.parameter : undefined);
    const given = held instanceof Token ? held.value : typeof held === "function" ? await held() : held;
    const value = given ?? (cookie === undefined ? undefined : this.cookies.get(cookie));
    if (value === undefined) return;
    if (scheme.fromCookie !== undefined) headers.set("cookie", this.#cookieHeader(headers, scheme.fromCookie, value));
    switch (scheme.kind) {
      case "bearer": headers.set("authorization", `Bearer ${value}`); break;
      case "basic": headers.set("authorization", `Basic ${value.includes(":") ? encoded(value) : value}`); break;
      case "query": query.set(scheme.parameter, value); break;
      case "header": headers.set(scheme.parameter, value); break;
      case "cookie": headers.set("cookie", this.#cookieHeader(headers, scheme.parameter, value)); break;
    }
  }

  #cookieHeader(headers: Headers, name: string, value: string): string {
    const before = headers.get("cookie");
    return before === null ? `${name}=${value}` : `${before}; ${name}=${value}`;
  }
}

function isPage(): boolean {
  return "document" in globalThis;
}

/** Return `name:password` as it travels (RFC 7617), in UTF-8. */
function encoded(value: string): string {
  return btoa(String.fromCodePoint(...new TextEncoder().encode(value)));
}
