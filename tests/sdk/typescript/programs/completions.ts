/** Streams a completion through a way that cuts: its text is whole. */
import { Client, ConnectionFailed } from "accord-client";
import { answer, check, refusal, told } from "./outside.js";

const credentials = { bearer: told("TOKEN") };
const content = Array.from({ length: 60 }, (_, number) => `word${number}`).join(" ");
const body = { model: "gpt-4", messages: [{ role: "user" as const, content }] };
const direct = new Client({ baseUrl: told("BASE_URL"), credentials });
const whole = await direct.completions.create(body);
const expected = whole.choices[0]?.message.content;

const cut = new Client({ baseUrl: told("PROXY_URL"), credentials, retry: { firstMs: 5, longestMs: 50 } });
let text = "";
let chunks = 0;
for await (const chunk of cut.completions.createStream(body)) {
  text += chunk.choices[0]?.delta.content ?? "";
  chunks += 1;
}
check(text === expected, `the text is whole: ${text}`);
const nowhere = new Client({ baseUrl: "http://127.0.0.1:9", credentials, retry: { maxRetries: 0 } });
await refusal(ConnectionFailed, nowhere.completions.createStream(body).open());
answer({ chunks });
