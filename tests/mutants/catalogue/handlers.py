"""Faults of the handlers: between the contract's shapes and what the core is asked."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

_SESSIONS = ("session handlers",)
_TOKENS = ("token handlers",)
_USERS = ("users",)

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "logout keeps its cookies",
        "handlers/identity/sessions.py",
        "return Reply(None, 204, cookies=session_cookies(None))",
        "return Reply(None, 204)",
        _SESSIONS,
    ),
    Mutant(
        "logout with a token does nothing",
        "handlers/identity/sessions.py",
        "        tokens.do_revoke_token(call.principal.credential_id)\n",
        "",
        _SESSIONS,
    ),
    Mutant(
        "csrf cookie out of scripts' reach",
        "handlers/browsers.py",
        'http_only=False, same_site="Strict"',
        'same_site="Strict"',
        _SESSIONS,
    ),
    Mutant(
        "cookies sent in the clear",
        "handlers/browsers.py",
        "return not settings.current().is_dev",
        "return False",
        _SESSIONS,
    ),
    Mutant(
        "rotation not told",
        "handlers/identity/sessions.py",
        'headers={"X-Session-Rotated": "1"}, ',
        "",
        _SESSIONS,
    ),
    Mutant(
        "token granted more than asked for",
        "handlers/identity/tokens.py",
        "wanted or None))",
        "None))",
        _TOKENS,
    ),
    Mutant(
        "revocation without a revocation",
        "handlers/identity/tokens.py",
        "    tokens.do_revoke_token(call.principal.credential_id)\n",
        "",
        _TOKENS,
    ),
    Mutant(
        "new user without a location",
        "handlers/identity/users.py",
        ', headers={"Location": f"/auth/admin/users/{user.id}"}',
        "",
        _USERS,
    ),
    Mutant(
        "changed password not stored",
        "handlers/identity/users.py",
        '        changes["password_hash"] = _prepared_hash(call)\n',
        "        pass\n",
        _USERS,
    ),
    Mutant(
        "absent member written as null",
        "handlers/identity/users.py",
        "if value is not UNSET}",
        "if value}",
        _USERS,
    ),
    Mutant(
        "unready said with 200",
        "handlers/system/health.py",
        "return unready if missing else ready",
        "return ready",
        ("health",),
    ),
    Mutant(
        "failed dependency passed",
        "handlers/system/health.py",
        "return passed if checks.is_ready else failed",
        "return passed",
        ("health",),
    ),
    Mutant(
        "set-up repeated without its own code",
        "handlers/system/setup.py",
        "raise setup.SetupRepeated from closed",
        "raise closed",
        ("setup",),
    ),
    Mutant(
        "set-up token not read",
        "handlers/system/setup.py",
        '''    """Hash the password, unless the door is closed."""
    return setup.prepare_set_up(_optional(call.parameters.x_setup_token), call.body.password)


def setup_create(''',
        '''    """Hash the password, unless the door is closed."""
    return setup.prepare_set_up(None, call.body.password)


def setup_create(''',
        ("setup",),
    ),
    Mutant(
        "cursor not followed",
        "handlers/chat/conversations.py",
        "None if call.parameters.cursor is UNSET else call.parameters.cursor",
        "None",
        ("conversations",),
    ),
    Mutant(
        "role of a reply not read",
        "handlers/chat/messages.py",
        "role = None if call.body.role is UNSET else call.body.role",
        "role = None",
        ("messages",),
    ),
    Mutant(
        "chunks always from the first",
        "handlers/chat/messages.py",
        "start=wanted.from_,",
        "start=0,",
        ("messages",),
    ),
    Mutant(
        "reason of a deletion not kept",
        "handlers/chat/messages.py",
        "    reason = None if call.body is None or call.body.reason is UNSET else call.body.reason\n"
        "    messages.do_delete",
        "    reason = None\n    messages.do_delete",
        ("messages",),
    ),
    Mutant(
        "place of a read mark not read",
        "handlers/chat/threads.py",
        "path = None if call.body is None or call.body.path is UNSET else call.body.path",
        "path = None",
        ("threads",),
    ),
    Mutant(
        "started answer not named",
        "handlers/chat/threads.py",
        "assistant_message_id=posted.assistant_message_id",
        "assistant_message_id=None",
        ("threads",),
    ),
    Mutant(
        "life of an invite not read",
        "handlers/chat/invites.py",
        "ttl_seconds=call.body.ttl_seconds",
        "ttl_seconds=604800",
        ("invites",),
    ),
    Mutant(
        "unhealthy process reported as healthy",
        "core/system/health.py",
        '    if not get_checks().is_ready:\n        return "unhealthy"\n',
        "",
        ("health",),
    ),
    Mutant(
        "dependencies asked by every request",
        "core/system/health.py",
        "            if self._last is None or time.monotonic() >= self._last[1] or self._last[2] is not settings.current():",
        "            if True:",
        ("health",),
    ),
    Mutant(
        "doctor trusts what was compiled",
        "server/doctor.py",
        "elif hashlib.sha256(file.read_bytes()).hexdigest() != digest:",
        "elif not digest:",
        ("telemetry",),
    ),
    Mutant(
        "new rule of the compiler not noticed",
        "codegen/generate.py",
        '        _compiler() == cache["compiler"]\n        and _are_equal',
        "        _are_equal",
        ("projects",),
    ),
)
