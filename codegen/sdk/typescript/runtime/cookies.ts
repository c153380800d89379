/** A session's cookies where no browser keeps them. */

/** Cookies of one service, by name; `entries` and the constructor let a program keep them. */
export class CookieJar {
  readonly #values: Map<string, string>;

  constructor(entries: Iterable<readonly [string, string]> = []) {
    this.#values = new Map(entries);
  }

  /** Return a cookie, the browser's own where a page runs this. */
  get(name: string): string | undefined {
    return this.#values.get(name) ?? fromPage(name);
  }

  /** Set a cookie; undefined removes it. */
  set(name: string, value: string | undefined): void {
    if (value === undefined) this.#values.delete(name);
    else this.#values.set(name, value);
  }

  /** Take the cookies of an answer; browsers keep theirs themselves and show none here. */
  learn(headers: Headers): void {
    for (const line of headers.getSetCookie?.() ?? []) {
      const [pair = "", ...attributes] = line.split(";");
      const [name = "", ...rest] = pair.trim().split("=");
      const value = rest.join("=");
      const ended = attributes.some((attribute) => /^max-age=(0|-\d+)$/i.test(attribute.replaceAll(" ", "")));
      this.set(name, value === "" || ended ? undefined : value);
    }
  }

  /** Return name and value of every cookie held. */
  entries(): [string, string][] {
    return [...this.#values];
  }
}

function fromPage(name: string): string | undefined {
  const page = (globalThis as { document?: { cookie?: string } }).document?.cookie ?? "";
  const found = page.split("; ").find((pair) => pair.startsWith(`${name}=`));
  return found?.slice(name.length + 1);
}
