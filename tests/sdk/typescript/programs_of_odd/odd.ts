/** A contract full of clashes, answered from memory: what is sent, and what is read. */
import { Client, ConnectionFailed } from "odd-client";
import { answer, check, refusal } from "./outside.js";

interface Sent {
  readonly url: string;
  readonly headers: Headers;
  readonly body: BodyInit | null | undefined;
}

/** A client whose requests are answered in turn. */
function odd(...answers: Response[]): { client: Client; sent: Sent[] } {
  return oddAt("http://odd.test", ...answers);
}

function oddAt(baseUrl: string, ...answers: Response[]): { client: Client; sent: Sent[] } {
  const sent: Sent[] = [];
  const fetch = async (url: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    sent.push({ url: String(url), headers: new Headers(init.headers), body: init.body });
    return answers.shift() ?? new Response(null, { status: 500 });
  };
  return { client: new Client({ baseUrl, fetch, credentials: { basic: "ada:päss" }, retry: { maxRetries: 0, firstMs: 1, longestMs: 1 } }), sent };
}

async function styles(): Promise<void> {
  const { client, sent } = odd(Response.json([{ id: 1, color: null }]));
  const point = { x: 1, y: 2 };
  const things = await client.things.getThings({
    class: "a b", tags: ["a,b", "c"], ids: ["a,b", "c"], pipe: ["a", "b"], pos: point, deep: { x: 1, all: ["a", "b"], in: point },
    limit: 1, xLimit: 2, xIds: [1, 2], xPos: point, mark: "a b",
  });
  check(things[0]?.id === 1 && things[0].color === null, "what `default` answers is read");
  const pairs = sent[0]!.url.split("?")[1]!.split("&").sort();
  const expected = [
    "class=a%20b", "tags=a%2Cb", "tags=c", "ids=a%2Cb,c", "pipe=a%7Cb", "pos=x,1,y,2", "limit=1",
    "deep%5Bx%5D=1", "deep%5Ball%5D=a", "deep%5Ball%5D=b", "deep%5Bin%5D%5Bx%5D=1", "deep%5Bin%5D%5By%5D=2",
  ].sort();
  check(JSON.stringify(pairs) === JSON.stringify(expected), `the query is ${pairs.join(" ")}`);
  const { headers } = sent[0]!;
  check(headers.get("x-limit") === "2" && headers.get("x-ids") === "1,2" && headers.get("x-pos") === "x,1,y,2", "headers");
  check(headers.get("authorization") === `Basic ${encoded("ada:päss")}`, "name and password are encoded");
}

function encoded(text: string): string {
  return btoa(String.fromCodePoint(...new TextEncoder().encode(text)));
}

async function shapes(): Promise<void> {
  const { client, sent } = odd(new Response(null, { status: 204 }));
  const point = { x: 1, y: 2 };
  await client.shapes.find(["a b", "c/d"], point, { at: point, json: point, seen: [1, 2] });
  const [{ url, headers }] = sent as [Sent];
  check(url === "http://odd.test/shapes/a%20b,c%2Fd/x=1,y=2", `lists and objects in the path: ${url}`);
  check(headers.get("x-at") === "x=1,y=2" && headers.get("x-json") === '{"x":1,"y":2}', "objects in headers");
  check(headers.get("cookie") === "seen=%5B1%2C2%5D", "JSON in a cookie");
  await refusal(TypeError, Promise.resolve().then(() => client.shapes.find(["a,b"], point)));
}

function bytes(text: string, type: string): Response {
  return new Response(text, { headers: { "content-type": type } });
}

/** A stream of events; one that is cut ends by an error of the network. */
function events(text: string, { isCut = false } = {}): Response {
  const body = new ReadableStream({
    start(controller) {
      if (text) controller.enqueue(new TextEncoder().encode(text));
      if (!isCut) controller.close();
    },
    pull(controller) {
      if (isCut) controller.error(new TypeError("terminated"));
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

async function ranges(): Promise<void> {
  const { client, sent } = odd(bytes("{}", "image/svg+json"), bytes("{}", "image/png"), bytes("<feed/>", "application/atom+xml"));
  const picture = await client.pictures.echo({ data: new Uint8Array([1]), contentType: "image/png" });
  check(picture instanceof Blob && (await picture.text()) === "{}", "what a range of types covers is a file");
  await client.pictures.echo(new Uint8Array([1]));
  const types = sent.map(({ headers }) => headers.get("content-type")).join();
  check(types === "image/png,application/octet-stream", `a body of a range of types says its own: ${types}`);
  const feed: string = await client.pictures.feed();
  check(feed === "<feed/>", "XML is a text");
}

async function feeds(): Promise<void> {
  const { client, sent } = odd(events("event: tick\ndata: 1\n\ndata: 2\n\n"), Response.json(3), events("data: 4\n\n"));
  const seen: unknown[] = [];
  for await (const event of client.feeds.makeStream()) seen.push(event);
  seen.push(await client.feeds.make2());
  for await (const event of client.feeds.make2Stream()) seen.push(event);
  check(seen.join() === "1,2,3,4", `events that no contract names are read until the stream ends: ${seen.join()}`);
  check(sent.length === 3, "a stream that ended is not asked for again");
  const cut = odd(events("data: 1\n\n", { isCut: true }));
  const read = async (): Promise<void> => {
    for await (const event of cut.client.feeds.makeStream()) check(event === 1, "what came before the cut");
  };
  await refusal(ConnectionFailed, read());
  check(cut.sent.length === 1, "a feed that cannot be replayed is not asked for again");
  const fruitless = odd(...Array.from({ length: 9 }, () => events("", { isCut: true })), events("data: 1\n\n"));
  const replay = async (): Promise<void> => {
    for await (const event of fruitless.client.feeds.makeStream({ idempotencyKey: "a" } as object)) check(event === 1, "nothing");
  };
  await refusal(ConnectionFailed, replay());
  check(fruitless.sent.length === 9, `a replay that gains nothing is given up: ${fruitless.sent.length}`);
}

async function bodies(): Promise<void> {
  const { client, sent } = odd(new Response(null, { status: 204 }), Response.json({ id: 5 }), Response.json({ id: 6 }));
  await client.things.createThing({ name: "a&b", tags: ["x", "y"], at: { x: 1 }, on: true, some: ["a", "b"], more: ["c", "d"] });
  check(sent[0]!.body === "name=a%26b&tags=x&tags=y&at=%7B%22x%22%3A1%7D&on=true&some=a%2Cb&more=c%7Cd", `the form is ${String(sent[0]!.body)}`);
  check((await client.things.putThing({ secret: "s" })).id === 5, "what only the server gives is not asked for");
  check((await client.things.getThing("eth0", "a/b", "json")).id === 6, "any media type is JSON where it is no file");
  check(sent[2]!.url === "http://odd.test/things/eth0/a%2Fb.json", "three parameters in one path");
}

async function names(): Promise<void> {
  const { client } = odd(Response.json({ value: 1 }), Response.json({ a: [1, "b"] }), Response.json([{ str: "a", None: "b" }]));
  check((await client.callApi.call({ value: 1 })).value === 1, "a resource named like a part of the client");
  check(JSON.stringify(await client.operation.get()) === '{"a":[1,"b"]}', "a schema that contains itself");
  check((await client.clientApi.list())[0]?.None === "b", "a resource named like the client");
}

async function addresses(): Promise<void> {
  const wrong = await refusal(TypeError, Promise.resolve().then(() => new Client({ baseUrl: "odd.test:80" })));
  check(wrong.message.includes("http://"), "an address without its scheme is refused at once");
  const { client, sent } = odd(Response.json([]));
  await client.things.getThings({ name: "größe 日本" });
  const bytes = Uint8Array.from(sent[0]!.headers.get("x-name")!, (letter) => letter.charCodeAt(0));
  check(new TextDecoder().decode(bytes) === "größe 日本", "a header of any letters travels as UTF-8");
}

/** While the base is the contract's own, an operation goes to the server that the contract names for it. */
async function servers(): Promise<void> {
  const expected = {
    "https://eu.odd.test/v1/": ["https://ai.odd.test/models", "https://eu.odd.test/v1/models", "https://eu.odd.test/v2/models"],
    "http://mock.test": ["http://mock.test/models", "http://mock.test/models", "http://mock.test/models"],
  };
  for (const [baseUrl, urls] of Object.entries(expected)) {
    const { client, sent } = oddAt(baseUrl, Response.json([]), new Response(null, { status: 204 }), Response.json({}));
    await client.models.list();
    await client.models.ask();
    await client.models.train();
    check(JSON.stringify(sent.map((each) => each.url)) === JSON.stringify(urls), `${baseUrl}: ${sent.map((each) => each.url).join(" ")}`);
  }
}

await addresses();
await servers();
await styles();
await ranges();
await feeds();
await shapes();
await bodies();
await names();
answer({ done: true });
