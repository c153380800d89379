/** A contract that is not the product's, answered from memory: what is sent, and how refusals, waits and cuts are met. */
import { Client, Conflict, CookieJar, RateLimited, ResponseInvalid, ServerError, type ClientOptions } from "accord-client";
import { answer, check, refusal, told } from "./outside.js";

interface Sent {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: BodyInit | null | undefined;
}

const ID = "01936f4e-7c1a-7d3b-9a52-0c6f5e1b2a34";
const ITEM = { id: ID, name: "Book", created_at: "2026-01-01T00:00:00Z" };
const NEW = { name: "Book", payment: { kind: "cash" } } as const;
const FAST = { firstMs: 1, longestMs: 2 };

/** A client whose requests are answered in turn. */
function shop(answers: (() => Response)[], options: Partial<ClientOptions<"bearer">> = {}): { client: Client; sent: Sent[] } {
  const sent: Sent[] = [];
  const fetch = async (url: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    sent.push({ url: new URL(String(url)), method: init.method ?? "", headers: new Headers(init.headers), body: init.body });
    const next = answers.shift();
    if (next === undefined) throw new TypeError("no answer is left");
    return next();
  };
  return { client: new Client({ baseUrl: "http://shop.test/", fetch, retry: FAST, ...options }), sent };
}

function json(status: number, body: unknown, headers: Record<string, string> = {}): () => Response {
  const type = status < 400 ? "application/json" : "application/problem+json";
  return () => new Response(JSON.stringify(body), { status, headers: { "content-type": type, ...headers } });
}

/** A stream of the given pieces, which then ends, breaks or stays silent. */
function events(pieces: readonly string[], end: "ends" | "breaks" | "is silent"): () => Response {
  return () => {
    const left = [...pieces];
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const piece = left.shift();
        if (piece !== undefined) controller.enqueue(new TextEncoder().encode(piece));
        else if (end === "ends") controller.close();
        else if (end === "breaks") controller.error(new TypeError("terminated"));
        else return new Promise(() => undefined);
        return undefined;
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };
}

async function uploads(): Promise<void> {
  const empty = (): Response => new Response(null, { status: 204 });
  const { client, sent } = shop([empty, empty, empty]);
  await client.pictures.upload(ID, { file: new Blob(["abc"], { type: "image/png" }), title: "Cover", focus: { x: 0.5 } });
  await client.pictures.upload(ID, { file: new Uint8Array([1, 2, 3]) });
  await client.pictures.upload(ID, { file: { data: { path: told("FILE") }, contentType: "image/png" } });
  const forms = await Promise.all(sent.map(({ body, headers }) => {
    const type = headers.get("content-type"); // a form's own says nothing; a stream's names the boundary
    return new Response(body ?? null, type === null ? {} : { headers: { "content-type": type } }).formData();
  }));
  const files = await Promise.all(forms.map(async (form) => (form.get("file") as File).text()));
  check(files.join() === "abc,\x01\x02\x03,from a file", "files arrive whole from each source");
  check((forms[2]?.get("file") as File).name === "picture.png", "a path names the file");
  check((forms[0]?.get("file") as File).type === "image/png" && forms[0]?.get("title") === "Cover", "with type and members");
  check((await (forms[0]?.get("focus") as File).text()) === '{"x":0.5}', "an object travels as JSON");
}

async function parameters(): Promise<void> {
  const { client, sent } = shop([json(200, { items: [ITEM], next_cursor: "a b" }), json(200, { items: [], next_cursor: null })]);
  check((await client.items.list({ colours: ["red", "blue"], limit: 1 }).toArray()).length === 1, "one item");
  check(sent[0]?.url.search === "?colours=red%7Cblue&limit=1", `by its style: ${sent[0]?.url.search}`);
  check(sent[1]?.url.search === "?colours=red%7Cblue&limit=1&cursor=a%20b", "the cursor goes on");
  const loop = shop([json(200, { items: [ITEM], next_cursor: "x" }), json(200, { items: [ITEM], next_cursor: "x" })]);
  await refusal(ResponseInvalid, loop.client.items.list().toArray());
}

async function credentials(): Promise<void> {
  const cookies = new CookieJar([["SESSION", "s1"]]);
  const lone = shop([json(201, ITEM), json(201, ITEM), json(200, ITEM)], { cookies, credentials: { bearer: async () => "t1" } });
  await lone.client.items.create(NEW);
  check(lone.sent[0]?.headers.get("authorization") === "Bearer t1", "without its secret the session is not used");
  cookies.set("CSRF", "c1");
  await lone.client.items.create(NEW);
  const { headers } = lone.sent[1]!;
  check(headers.get("cookie") === "SESSION=s1; CSRF=c1" && headers.get("x-csrf") === "c1", "both halves of the session");
  check(headers.get("authorization") === null, "one credential on one request");
  await lone.client.items.get(ID);
  check(lone.sent[2]?.headers.get("cookie") === null, "none where none is asked for");
}

async function retries(): Promise<void> {
  const busy = json(409, { code: "request_in_progress" });
  const failing = json(500, { code: "internal_error" });
  const { client, sent } = shop([failing, busy, json(429, {}, { "retry-after": "0" }), json(201, ITEM, { "idempotency-replayed": "true" })]);
  const made = await client.items.create(NEW).withResponse();
  const keys = new Set(sent.map((request) => request.headers.get("idempotency-key")));
  check(sent.length === 4 && keys.size === 1 && made.isReplayed, "one key through all tries");

  const taken = shop([json(409, { code: "conflict" })]);
  const conflict = await refusal(Conflict, taken.client.items.create(NEW));
  check(taken.sent.length === 1 && conflict.code === "conflict", "a conflict stays one");
  const back = shop([json(409, {}, { "retry-after": "0" }), json(503, {}), json(409, {}), json(201, ITEM)]);
  await back.client.items.create(NEW);
  check(back.sent.length === 4, "a conflict that says when to come back, or follows a failure, is waited out");
  const away = shop([json(503, {}, { "retry-after": "0" })]);
  await refusal(ServerError, away.client.items.update(ID, { name: null }));
  check(away.sent.length === 1, "nor because the server says when to come back");
  const unsafe = shop([failing]);
  await refusal(ServerError, unsafe.client.items.update(ID, { name: null }));
  check(unsafe.sent.length === 1, "what may have happened and has no key is not repeated");
  const far = shop([json(429, {}, { "retry-after": "3600" })]);
  const limited = await refusal(RateLimited, far.client.items.get(ID));
  check(far.sent.length === 1 && limited.retryAfterSeconds === 3600, "nobody waits an hour");
  const spent = shop([json(429, {}, { "ratelimit-remaining": "0", "ratelimit-reset": "1" }), json(200, ITEM)]);
  const begun = performance.now();
  await spent.client.items.get(ID);
  check(performance.now() - begun >= 1000, "an exhausted limit is waited for");
  const dated = shop([json(503, {}, { "retry-after": new Date(Date.now() + 2500).toUTCString() }), json(200, ITEM)]);
  const dateBegun = performance.now();
  await dated.client.items.get(ID);
  check(performance.now() - dateBegun >= 1000, "so is a date");
  const none = shop([failing, json(200, ITEM)]);
  await refusal(ServerError, none.client.items.get(ID, { maxRetries: 0 }));
}

async function answers(): Promise<void> {
  const page = (): Response => new Response("<html>", { headers: { "content-type": "text/html" } });
  const half = (): Response => new Response('{"id": ', { headers: { "content-type": "application/json" } });
  const { client } = shop([page, half, json(200, { ...ITEM, colour: "new" })]);
  await refusal(ResponseInvalid, client.items.get(ID));
  await refusal(ResponseInvalid, client.items.get(ID));
  check("colour" in (await client.items.get(ID)), "an answer may have new members");
}

async function streams(): Promise<void> {
  const warnings: string[] = [];
  const first = [": hello\r", "\n\r\nretry: 1\n\nid: 1\nevent: so", "ld\r", "\ndata: {\"sold_at\":\ndata: \"2026-01-01T00:00:00Z\"}\n\n"];
  const { client, sent } = shop(
    [
      events([...first, "event: later\nid: 2\ndata: 0\n\n", "event: sold\nid: 3\ndata: {\"sold"], "breaks"),
      () => { throw new TypeError("fetch failed"); },
      json(503, {}),
      events(["\uFEFFevent: sold\r\rdata\r\rid: 3\revent: sold\rdata: {\"sold_at\": \"b\"}\r\r\n"], "is silent"),
      events(["event: sold\nid: 4\ndata: {\"sold_at\": \"c\"}\n\n"], "ends"),
      json(404, { code: "not_found" }),
    ],
    { onDeprecated: (message) => warnings.push(message), streamSilenceMs: 50, cookies: new CookieJar([["SESSION", "s"]]) },
  );
  const stream = client.events.stream(ID);
  const seen: (string | undefined)[] = [];
  try {
    for await (const event of stream) seen.push(`${event.id}:${event.data.sold_at}`);
  } catch (error) {
    seen.push((error as Error).name);
  }
  check(seen.join() === "1:2026-01-01T00:00:00Z,3:b,4:c,NotFound", `each event once: ${seen.join()}`);
  const asked = sent.map((request) => request.headers.get("last-event-id"));
  check(JSON.stringify(asked) === '[null,"2","2","2","3","4"]', `from where it was: ${JSON.stringify(asked)}`);
  check(stream.lastEventId === "4", "the position is told");
  await refusal(TypeError, stream[Symbol.asyncIterator]().next());
  client.events.stream(ID);
  check(warnings.join() === "events_stream: deprecated since 2026-01-31, gone after 2026-12-31", "once deprecated, once told");
}

for (const run of [uploads, parameters, credentials, retries, answers, streams]) await run();
answer({ done: true });
