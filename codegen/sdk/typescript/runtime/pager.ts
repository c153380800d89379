/** Lists that the service gives page by page. */
import type { Connection } from "./connection.js";
import { ResponseInvalid } from "./errors.js";
import { at, type Arguments, type Operation, type Paging } from "./operation.js";
import type { CallOptions } from "./options.js";

/** One page: its items, the reply they came in, and the position of the page behind it. */
export interface Page<Item, Body> {
  readonly items: readonly Item[];
  readonly body: Body;
  readonly response: Response;
  readonly next: string | number | undefined;
}

/** All items of a list, fetched as they are asked for; each iteration begins anew. */
export class Pager<Item, Body> implements AsyncIterable<Item> {
  readonly #connection: Connection;
  readonly #operation: Operation;
  readonly #paging: Paging;
  readonly #given: Arguments;
  readonly #options: CallOptions;

  constructor(connection: Connection, operation: Operation, given: Arguments, options: CallOptions) {
    this.#connection = connection;
    this.#operation = operation;
    this.#paging = operation.paging!;
    this.#given = given;
    this.#options = options;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    for await (const page of this.pages()) yield* page.items;
  }

  /** Give page after page. */
  async *pages(): AsyncGenerator<Page<Item, Body>, void, undefined> {
    let page = await this.page();
    yield page;
    while (page.next !== undefined) {
      const { next } = page;
      page = await this.#fetch({ [this.#paging.parameter]: next });
      yield page;
    }
  }

  /** Give the first page. */
  page(): Promise<Page<Item, Body>> {
    return this.#fetch({});
  }

  /** Give the first item, undefined when there is none; asks for no more unless a limit is set. */
  async first(): Promise<Item | undefined> {
    const params = this.#given.params as Record<string, unknown> | undefined;
    const page = await this.#fetch(params?.[this.#paging.limit] === undefined ? { [this.#paging.limit]: 1 } : {});
    return page.items[0];
  }

  /** Give all items, or the first `most`. */
  async toArray(most = Infinity): Promise<Item[]> {
    const items: Item[] = [];
    if (most <= 0) return items;
    for await (const item of this) {
      items.push(item);
      if (items.length >= most) break;
    }
    return items;
  }

  async #fetch(changes: Record<string, unknown>): Promise<Page<Item, Body>> {
    const params: Record<string, unknown> = { ...this.#given.params, ...changes };
    const { data, response } = await this.#connection
      .call<Body>(this.#operation, { ...this.#given, params }, this.#options)
      .withResponse();
    const items = at(data, this.#paging.items);
    if (!Array.isArray(items)) throw new ResponseInvalid("answered without a list of items", this.#operation.id, response);
    return { items, body: data, response, next: this.#next(params, data, items.length, response) };
  }

  #next(params: Record<string, unknown>, data: Body, count: number, response: Response): string | number | undefined {
    const { kind, next, parameter, limit, defaultLimit } = this.#paging;
    if (kind === "offset") {
      const asked = (params[limit] as number | undefined) ?? defaultLimit ?? 1;
      return count < asked || count === 0 ? undefined : Number(params[parameter] ?? 0) + count;
    }
    const position = at(data, next ?? "");
    if (position === null || position === undefined || position === "") return undefined;
    if (position === params[parameter]) throw new ResponseInvalid("answered with a page behind itself", this.#operation.id, response);
    return position as string | number;
  }
}
