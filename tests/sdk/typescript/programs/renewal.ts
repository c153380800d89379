/** Tokens that are renewed: against a script of answers, or on a running server by many calls at once. */
import { Client, Token, Unauthorized } from "accord-client";
import { answer, check, refusal, told } from "./outside.js";

const CALLS = 10;
const plans: Record<string, () => Promise<unknown>> = { before, beside, together };
answer(await plans[told("PLAN")]!());

/** Two calls with a token that is due. */
async function before(): Promise<string[]> {
  const changes: string[] = [];
  const token = new Token("first", { expiresInSeconds: 0, onChange: (value) => changes.push(value) });
  const client = clientOf(token);
  await client.conversations.create({ title: "x" });
  await client.conversations.create({ title: "y" });
  return changes;
}

/** A call whose token another caller renews while it is under way. */
async function beside(): Promise<string> {
  const token = new Token("first");
  const client = clientOf(token, async (...given) => {
    const response = await fetch(...given);
    token.replace("second", undefined);
    return response;
  });
  await client.conversations.create({ title: "x" });
  return token.value;
}

/** Calls at once by a token that is due: one of them renews, and none is refused. */
async function together(): Promise<number> {
  const { access_token } = await clientOf(undefined).tokens.create({ username: told("EMAIL"), password: told("PASSWORD") });
  const changes: string[] = [];
  const token = new Token(access_token, { expiresInSeconds: 0, onChange: (value) => changes.push(value) });
  const client = clientOf(token);
  const answers = await Promise.all(Array.from({ length: CALLS }, () => client.tokens.getMe()));
  check(answers.every((me) => me.user_id === answers[0]!.user_id), "all are answered");
  check(token.value === changes[0] && token.value !== access_token, "the successor is kept");
  await client.tokens.revoke();
  await refusal(Unauthorized, client.tokens.getMe());
  return changes.length;
}

function clientOf(bearer: Token | undefined, send?: typeof fetch): Client {
  const retry = { firstMs: 1, longestMs: 1 };
  const credentials = bearer && { bearer };
  return new Client({ baseUrl: told("BASE_URL"), retry, ...(credentials && { credentials }), ...(send && { fetch: send }) });
}
