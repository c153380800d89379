// The certified oidc-provider with one client, and with people who log in by being named: `login_hint` says who.
// node provider.js PORT CLIENT_ID CLIENT_SECRET REDIRECT_URI
import { generateKeyPairSync, randomBytes } from "node:crypto";
import http from "node:http";
import { Provider } from "oidc-provider";

const [port, client_id, client_secret, redirect_uri] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });

const provider = new Provider(issuer, {
  clients: [{ client_id, client_secret, redirect_uris: [redirect_uri] }],
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256", kid: randomBytes(6).toString("hex") }] },
  cookies: { keys: [randomBytes(16).toString("hex")] },
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["given_name", "family_name"] },
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, sub) => ({
    accountId: sub,
    claims: () => ({
      sub,
      email: `${sub.split(".").pop()}@example.com`,
      email_verified: !sub.startsWith("unverified."),
      given_name: "Given",
      family_name: "Family",
    }),
  }),
});

async function answer(details) {
  if (details.prompt.name === "login") {
    const sub = details.params.login_hint;
    return sub === "nobody" ? { error: "access_denied" } : { login: { accountId: sub } };
  }
  const grant = new provider.Grant({ accountId: details.session.accountId, clientId: client_id });
  grant.addOIDCScope(details.params.scope);
  return { consent: { grantId: await grant.save() } };
}

const serve = provider.callback();
http
  .createServer(async (request, response) => {
    if (!request.url.startsWith("/interaction/")) return serve(request, response);
    const details = await provider.interactionDetails(request, response);
    await provider.interactionFinished(request, response, await answer(details), { mergeWithLastSubmission: true });
  })
  .listen(Number(port), "127.0.0.1", () => console.log("ready"));
