/** Bearer tokens that renew themselves before they end. */
import { at } from "./operation.js";

/** The operation that exchanges a token for its successor; token, expiresIn: JSON pointers into its answer. */
export interface Renewal {
  readonly scheme: string;
  readonly method: string;
  readonly path: string;
  readonly token: string;
  readonly expiresIn: string;
}

export interface TokenOptions {
  /** What is left of the token's life (s); with it, the client renews the token after four fifths of that. */
  expiresInSeconds?: number;
  /** Called with every successor, so that it can be kept. */
  onChange?: (value: string, expiresInSeconds: number | undefined) => void;
}

const TRIES = 3;
const POSTPONED_MS = 5000;

/** A bearer token. One renewal is under way at a time, whoever asks for it; calls that need the token wait for it. */
export class Token {
  #value: string;
  #renewAt: number;
  #renewing: Promise<void> | undefined;
  readonly #onChange: TokenOptions["onChange"];

  constructor(value: string, options: TokenOptions = {}) {
    this.#value = value;
    this.#renewAt = due(options.expiresInSeconds);
    this.#onChange = options.onChange;
  }

  /** What is sent at present. */
  get value(): string {
    return this.#value;
  }

  /** Take a successor. */
  replace(value: string, expiresInSeconds: number | undefined): void {
    this.#value = value;
    this.#renewAt = due(expiresInSeconds);
    this.#onChange?.(value, expiresInSeconds);
  }

  /** Wait for the renewal that is under way, or begin one if it is time to; where none succeeds, ask again later. */
  async settle(renew: () => Promise<void>): Promise<void> {
    if (this.#renewing === undefined && Date.now() >= this.#renewAt) {
      this.#renewAt = Date.now() + POSTPONED_MS;
      this.#renewing = renew().finally(() => (this.#renewing = undefined));
    }
    await this.#renewing;
  }

  /** Say whether the token that was sent has a successor, waiting for one that is about to come. */
  async hasSuccessor(sent: string): Promise<boolean> {
    await this.#renewing;
    return this.#value !== sent;
  }
}

/** Exchange a token; a lost answer is asked for again, a refusal leaves the token as it is. */
export async function renew(
  renewal: Renewal,
  token: Token,
  send: (method: string, path: string, bearer: string) => Promise<Response>,
  wait: (attempt: number) => Promise<void>,
): Promise<void> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    try {
      const response = await send(renewal.method, renewal.path, token.value);
      const answer: unknown = response.status === 200 ? await response.json() : await response.body?.cancel();
      const value = at(answer, renewal.token);
      if (typeof value === "string") token.replace(value, at(answer, renewal.expiresIn) as number | undefined);
      return;
    } catch {
      await wait(attempt); // no answer came; the exchange gives the same successor to a repeat within its grace
    }
  }
}

function due(seconds: number | undefined): number {
  return seconds === undefined ? Infinity : Date.now() + seconds * 800;
}
