"""Faults of logins by identity providers and of what throttles guesses: each check taken out once."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

_FLOWS, _LINKING = "core/identity/federation/flows.py", "core/identity/federation/linking.py"
_EXCHANGE, _DISCOVERY = "core/identity/federation/exchange.py", "core/identity/federation/discovery.py"
_REGISTRY, _FILES = "core/identity/federation/registry.py", "core/identity/federation/files.py"
_THROTTLING = "core/identity/throttling.py"

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "a login comes back to any browser",
        _FLOWS,
        " or not hmac.compare_digest(row.browser_digest, browser_digest)",
        "",
        ("logins by openid",),
    ),
    Mutant(
        "a state of another provider",
        _FLOWS,
        "row.provider != _owner(provider, door) or ",
        "",
        ("logins by openid",),
    ),
    Mutant(
        "a state that is used twice",
        _FLOWS,
        "taken = LoginFlow.delete().where(LoginFlow.digest == row.digest).execute()",
        "taken = 1",
        ("logins by openid",),
    ),
    Mutant(
        "a registered address leads its owner to who registered it",
        "core/identity/tenants.py",
        "email=None, registered_address=email.lower()",
        "email=email",
        ("strangers",),
    ),
    Mutant(
        "who registered is shown another address than the written one",
        "core/identity/accounts.py",
        "self.membership.user.registered_address or ",
        "",
        ("tenants",),
    ),
    Mutant(
        "the last superadmin shuts themselves out",
        "core/identity/accounts.py",
        "            users.check_not_last(membership.user_id)\n",
        "            pass\n",
        ("accounts",),
    ),
    Mutant(
        "a user's id tells when it was made",
        "core/identity/users.py",
        "new_undated_uuid()\n",
        "new_uuid()\n",
        ("accounts",),
    ),
    Mutant(
        "a failed state is not in the trail",
        "core/identity/federation/problems.py",
        "    is_failed_login = True\n",
        "",
        ("logins by openid",),
    ),
    Mutant(
        "a state that never ends",
        _FLOWS,
        "if not taken or row.expires_at <= clock.now():",
        "if not taken:",
        ("logins by openid",),
    ),
    Mutant(
        "an answer of another issuer",
        _FLOWS,
        "    _check_issuer(provider, answer.issuer)\n",
        "",
        ("logins by openid",),
    ),
    Mutant("an answer that names no issuer", _FLOWS, " or endpoints.names_itself", "", ("logins by openid",)),
    Mutant("pkce left out", _EXCHANGE, 'code_challenge_method="S256",', "", ("logins by openid",)),
    Mutant("nonce not compared", _EXCHANGE, 'params={"nonce": secrets.nonce, ', "params={", ("liars",)),
    Mutant(
        "id_token of another client",
        _EXCHANGE,
        '"aud": {"essential": True, "value": provider.client_id},',
        "",
        ("liars",),
    ),
    Mutant("id_token of another issuer", _EXCHANGE, '"iss": {"essential": True, "value": issuer},', "", ("liars",)),
    Mutant("id_token without an end", _EXCHANGE, "leeway=_LEEWAY_SECONDS", "leeway=10_000_000_000", ("liars",)),
    Mutant("access token not tied to the id_token", _EXCHANGE, ', "access_token": access_token}', "}", ("liars",)),
    Mutant("any signature", _DISCOVERY, '"ES512", "EdDSA"', '"ES512", "EdDSA", "HS256", "none"', ("liars",)),
    Mutant("rotated keys not fetched", _EXCHANGE, ", is_fresh=True)", ")", ("liars",)),
    Mutant("userinfo of someone else", _EXCHANGE, 'if more.get("sub") != claims["sub"]:', "if False:", ("liars",)),
    Mutant("metadata of another issuer", _DISCOVERY, "return issuer == provider.issuer", "return True", ("liars",)),
    Mutant("an answer that is no 200", _DISCOVERY, "if fetched.status != 200:", "if False:", ("liars",)),
    Mutant(
        "an unverified address links",
        _LINKING,
        "    if profile.email is None or not profile.is_email_verified:\n        raise EmailNotVerified\n    user =",
        "    assert profile.email is not None\n    user =",
        ("logins by openid",),
    ),
    Mutant(
        "a prepared account is linked",
        _LINKING,
        "    _check_linkable(user)\n",
        "    pass\n",
        ("strangers",),
    ),
    Mutant("every address is verified", _EXCHANGE, "has_email and (says_so or is_vouched)", "has_email", ("liars",)),
    Mutant("every domain may log in", _LINKING, "    _check_domain(provider, profile)\n", "", ("logins by openid",)),
    Mutant(
        "a subject of another authority", _LINKING, "FederatedIdentity.authority == profile.authority, ", "", ("liars",)
    ),
    Mutant(
        "the default role is not given",
        _LINKING,
        "    _give_role(user, provider)\n    return user",
        "    return user",
        ("logins by openid",),
    ),
    Mutant(
        "whom every tenant disabled is kept out", _LINKING, "        _give_home(provider, user)\n", "", ("strangers",)
    ),
    Mutant(
        "a disabled account of the root workspace is made anew",
        _LINKING,
        "Membership.user == user, Membership.tenant == ROOT_TENANT_ID).exists():\n        return",
        "Membership.user == user, Membership.tenant == ROOT_TENANT_ID).exists():\n        pass",
        ("strangers",),
    ),
    Mutant(
        "a kept secret goes anywhere",
        _REGISTRY,
        "_recipient(former) != _recipient(document)",
        "False",
        ("logins by openid",),
    ),
    Mutant(
        "providers of one host share their people",
        _EXCHANGE,
        "return url if len(url) <= _TEXT_LIMIT else digest(url)",
        "return urlsplit(url).netloc",
        ("liars",),
    ),
    Mutant(
        "any microsoft directory vouches",
        _EXCHANGE,
        " and provider.directory not in MANY_DIRECTORIES",
        "",
        ("microsoft",),
    ),
    Mutant("the secret is shown", _REGISTRY, "MASK if secret else None)", "str(secret))", ("logins by openid",)),
    Mutant(
        "the secret is stored in the clear",
        _REGISTRY,
        "_with_secret(document, None)).decode()",
        "document).decode()",
        ("logins by openid",),
    ),
    Mutant(
        "a deleted provider's file comes back",
        _REGISTRY,
        "if row is not None or filed is None:",
        "if filed is None:",
        ("provider files",),
    ),
    Mutant("a file of another name", _FILES, "made.metadata.name != path.stem or ", "", ("provider files",)),
    Mutant(
        "a private address is called",
        "core/system/outbound.py",
        "return address.is_global and",
        "return",
        ("outbound",),
    ),
    Mutant(
        "a name is not judged",
        "core/system/outbound.py",
        "if not all(_may_reach(address) for address in found):",
        "if False:",
        ("outbound",),
    ),
    Mutant(
        "an answer of any size",
        "core/system/outbound_calls.py",
        "if len(body) > BODY_LIMIT_BYTES:",
        "if False:",
        ("outbound",),
    ),
    Mutant(
        "guesses are not charged",
        _THROTTLING,
        "        _fill_or_refuse(ACCOUNT_AND_ORIGIN, own_key)\n",
        "",
        ("throttling",),
    ),
    Mutant(
        "addresses are not charged", _THROTTLING, "        _fill_or_refuse(ADDRESS, address_key)\n", "", ("throttling",)
    ),
    Mutant(
        "a known origin is charged as a stranger",
        _THROTTLING,
        "        if known:\n",
        "        if False:\n",
        ("throttling",),
    ),
    Mutant(
        "a hot account refuses",
        _THROTTLING,
        "gevent.sleep(HOT_ACCOUNT_SECONDS)",
        "raise LoginThrottled",
        ("throttling",),
    ),
    Mutant("any cookie is an origin", _THROTTLING, "if origin.device_digest in known else", "or", ("throttling",)),
    Mutant(
        "a right password is charged",
        _THROTTLING,
        "        _do_trust(user, origin, known, charge)\n",
        "",
        ("throttling",),
    ),
    Mutant("each address of a network is its own", _THROTTLING, "(parsed, 64)", "(parsed, 128)", ("throttling",)),
)
