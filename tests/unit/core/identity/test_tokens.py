"""Bearer tokens: what they hold, how a holder narrows them, one winner of a refresh, families revoked."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest

from core.identity import access, biscuits, tokens, users
from core.identity.scopes import CATALOGUE
from core.kernel import clock, settings
from core.kernel.ids import new_uuid
from core.kernel.principal import ELEVATED_SCOPES, ROOT_TENANT_ID
from core.kernel.problems import Invalid, InvalidCredentials, Unauthenticated, Unavailable
from core.kernel.settings import Settings
from core.system import epoch
from models.database import read
from models.tables.identity import Token, TokenFamily, User
from tests.conftest import FrozenClock
from tests.databases import read_settings
from tests.factories.tokens import narrow, narrow_by_hand
from tests.unit.core.world import make_administrator, make_member, race, verified


@pytest.fixture
def user(database: Settings) -> User:
    make_administrator()
    return make_member()


def _soon() -> datetime:
    return clock.now() + timedelta(minutes=1)


def _mint(*scopes: str, seconds: int = 60) -> str:
    expires_at = clock.now() + timedelta(seconds=seconds)
    return biscuits.mint(user_id=new_uuid(), tenant_id=ROOT_TENANT_ID, scopes=scopes, expires_at=expires_at).token


def _scopes(token: str) -> frozenset[str] | None:
    presented = biscuits.present(token)
    return presented.scopes if presented else None


@pytest.fixture
def installed(tmp_path) -> None:
    settings.install(read_settings(tmp_path))


def test_token_says_what_it_was_minted_with(installed: None) -> None:
    user_id, expires_at = new_uuid(), clock.now() + timedelta(hours=1)
    minted = biscuits.mint(
        user_id=user_id, tenant_id=ROOT_TENANT_ID, scopes=["chat:read", "model:*"], expires_at=expires_at
    )
    presented = biscuits.present(minted.token)
    assert presented is not None
    assert (presented.user_id, presented.tenant_id) == (user_id, ROOT_TENANT_ID)
    assert presented.scopes == {"chat:read", "model:*"}
    assert presented.revocation_ids == (minted.revocation_id,)
    assert presented.is_constant
    assert not presented.is_narrowed


@pytest.mark.parametrize(
    ("source", "left"),
    [
        ('check if requested_scope("chat:read");', {"chat:read"}),
        ('check if requested_scope($s), ["chat:read", "usage:read", "x:y"].contains($s);', {"chat:read", "usage:read"}),
        ('check if requested_scope("apikey:read");', None),
        ('reject if requested_scope("chat:read");', {"file:read", "usage:read"}),
        ('check if requested_scope($s), $s.starts_with("file");', {"file:read"}),
        ("check if false;", None),
        ('check if "2026-13-45T99:99:99Z" != "";', {"chat:read", "file:read", "usage:read"}),
        ("check if time($t), $t < 2100-01-01T00:00:00Z;", {"chat:read", "file:read", "usage:read"}),
        ("check if time($t), $t < 9999-12-31T23:59:59Z;", {"chat:read", "file:read", "usage:read"}),
        ("check if time($t), $t < 2020-01-01T00:00:00Z;", None),
        ('scope("iam:admin"); user("00000000-0000-0000-0000-000000000000");', None),
        ('check if requested_scope("chat:read") or scope("file:read"), resource("a", "b");', {"chat:read"}),
    ],
)
def test_holder_narrows_and_never_widens(installed: None, source: str, left: set[str] | None) -> None:
    assert _scopes(narrow(_mint("chat:read", "file:read", "usage:read"), source)) == left


@pytest.mark.parametrize(
    "source",
    [
        "check if 1 + 9223372036854775807 > 0;",
        "check if 1 / 0 > 0;",
        'check if "a" > 0;',
        "check if 1.extern::foo(1);",
        "reject if true;",
    ],
)
def test_block_that_cannot_be_computed_makes_the_token_worthless(installed: None, source: str) -> None:
    assert biscuits.present(narrow(_mint("chat:read"), source)) is None


_FACTS = "".join(f"n({number});" for number in range(40))
_PATTERN = f'check if requested_scope($scope), ("a".matches("\\\\pL{{100}}|{"a" * 128}"));'
_JOIN = ", ".join(f"{{0}}($x{number})" for number in range(4)) + ", " + " + ".join(f"$x{number}" for number in range(4))


@pytest.mark.parametrize(
    "source",
    [
        f"{_FACTS} check if {_JOIN.format('n')} < 0;",
        f"{_FACTS} p($a, $b, $c) <- n($a), n($b), n($c);",
        f"check if {_JOIN.format('scope')} == 0;",
        f'check if "\\"" == "\\"", {_JOIN.format("scope")} == "", "\\"" == "\\"";',
        f"check if [{','.join(map(str, range(999)))}].all($x -> [1].all($y -> true));",
        'check if requested_scope("a\\nb") or true;',
        'check if scope($s), resource($name, $value), "a".matches("\\\\pL{100}");',
        f'check if "{"a" * 2000}".starts_with("a");',
    ],
    ids=["facts", "rule", "join", "join behind a quote", "closure", "line", "pattern", "length"],
)
def test_block_that_could_take_long_is_not_evaluated(installed: None, source: str) -> None:
    """The library's time limit does not end a check: a join of four takes a second, and each more some dozens of times that."""
    assert _is_refused_at_once(narrow(_mint(*CATALOGUE), source))


@pytest.mark.parametrize(
    ("source", "old", "new"),
    [
        (f"{_FACTS} check if {_JOIN.format('n')} < 0;".replace("n(", "nnnnnnnnnn("), b"nnnnnnnnnn", b"check if n"),
        (_PATTERN, b"\x12\x02\x08\x01", b"\x1a\x02\x08\x08"),
    ],
    ids=["facts named like checks", "pattern in what cannot be printed"],
)
def test_block_that_is_not_what_it_is_printed_like_is_not_evaluated(
    installed: None, source: str, old: bytes, new: bytes
) -> None:
    assert _is_refused_at_once(narrow_by_hand(_mint(*CATALOGUE), source, old, new))


def _is_refused_at_once(token: str) -> bool:
    resources = {"tenantId": "a", "accountId": "b", "fileId": "c"}
    began = time.thread_time()
    return biscuits.present(token, resources) is None and time.thread_time() - began < 0.02


def test_narrowing_adds_up(installed: None) -> None:
    once = narrow(_mint("chat:read", "file:read"), 'check if requested_scope("chat:read");')
    assert _scopes(once) == {"chat:read"}
    assert _scopes(narrow(once, 'check if requested_scope("file:read");')) is None


def test_pattern_and_admin_are_narrowed_to_what_they_imply(installed: None) -> None:
    check = 'check if requested_scope("projects:read");'
    assert _scopes(narrow(_mint("iam:admin"), check)) == {"projects:read"}
    assert _scopes(narrow(_mint("projects:*"), check)) == {"projects:read"}
    assert _scopes(narrow(_mint("iam:admin"), 'check if requested_scope("git:push");')) is None


def test_answer_depends_on_the_time_when_a_block_looks_at_it(installed: None) -> None:
    timed = biscuits.present(narrow(_mint("a:b"), "check if time($t), $t < 2100-01-01T00:00:00Z;"))
    assert timed is not None
    assert not timed.is_constant


def test_token_is_over_when_its_time_is(installed: None, frozen_clock: FrozenClock) -> None:
    token = _mint("a:b", seconds=60)
    frozen_clock.advance(59)
    assert _scopes(token) == {"a:b"}
    frozen_clock.advance(1)
    assert _scopes(token) is None


@pytest.mark.parametrize("token", ["", "x", "a" * 500, "Zm9v", "\u00e9", "En"])
def test_what_is_no_token_is_refused(installed: None, token: str) -> None:
    assert biscuits.present(token) is None


def test_changed_token_is_refused(installed: None) -> None:
    token = _mint("a:b")
    middle = len(token) // 2
    changed = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]
    assert biscuits.present(changed) is None


def test_every_key_verifies_and_the_first_signs(tmp_path) -> None:
    def use(*keys: str) -> None:
        settings.install(read_settings(tmp_path, secret_keys=",".join(keys)))

    old, new = "o" * 32, "n" * 32
    use(old)
    token = _mint("a:b")
    use(new, old)
    assert _scopes(token) == {"a:b"}
    rotated = _mint("a:b")
    use(new)
    assert _scopes(rotated) == {"a:b"}
    assert _scopes(token) is None


def test_reached_limit_is_unavailable_and_no_verdict(installed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    token = _mint("a:b")
    monkeypatch.setattr(biscuits, "_MAX_TIME", timedelta(microseconds=1))  # no token takes long on every machine
    for presented in (token, narrow(token, "check if true;")):
        with pytest.raises(Unavailable):
            biscuits.present(presented)


def test_limit_is_of_all_evaluations_together(installed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    narrowed = narrow(_mint("iam:admin"), "check if requested_scope($scope);")
    monkeypatch.setattr(biscuits, "_MAX_CPU_SECONDS", 0.0003)
    with pytest.raises(Unavailable):
        biscuits.present(narrowed)


def test_key_file_is_made_once_and_only_for_its_owner(tmp_path) -> None:
    settings.install(settings.read({"ACCORD_DATA_DIR": str(tmp_path / "new")}))
    token = _mint("a:b")
    path = tmp_path / "new" / "secret.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["secret.key"]
    assert _scopes(token) == {"a:b"}


def test_token_holds_the_users_scopes_without_the_elevated(user: User) -> None:
    issued = tokens.do_issue_token(verified(user), None)
    with read():
        held = access.get_scopes(user.id, ROOT_TENANT_ID)
    assert "git:push" in held
    assert issued.scopes == held - ELEVATED_SCOPES == _scopes(issued.token)
    assert issued.expires_in_seconds in {86_399, 86_400}


def test_token_holds_the_wanted_that_the_user_holds(user: User) -> None:
    wanted = ["chat:read", "projects:*", "apikey:create", "git:push"]
    assert tokens.do_issue_token(verified(user), wanted).scopes == {"chat:read", "projects:read", "projects:write"}


def test_nothing_is_issued_when_none_of_the_wanted_is_held(user: User) -> None:
    with pytest.raises(Invalid):
        tokens.do_issue_token(verified(user), ["iam:admin"])
    with read():
        assert TokenFamily.select().count() == 0


def test_disabled_user_is_refused_like_a_wrong_password(user: User) -> None:
    users.do_update_user(user.id, {"is_active": False})
    with pytest.raises(InvalidCredentials):
        tokens.do_issue_token(verified(user), None)


def test_refresh_keeps_the_wanted_scopes_and_follows_the_grants(user: User) -> None:
    issued = tokens.do_issue_token(verified(user), ["chat:read", "chat:create"])
    users.do_assign_role(user.id, _role("viewer"), ROOT_TENANT_ID)
    users.do_remove_role(user.id, _role("member"), ROOT_TENANT_ID)
    assert tokens.do_refresh_token(issued.token).scopes == {"chat:read"}


def test_repeat_gives_the_same_successor_within_the_grace(user: User, frozen_clock: FrozenClock) -> None:
    issued, before = tokens.do_issue_token(verified(user), None), epoch.current()
    first = tokens.do_refresh_token(issued.token)
    assert epoch.current() > before
    frozen_clock.advance(9.9)
    assert tokens.do_refresh_token(issued.token) == first


def test_reuse_revokes_the_family_when_the_grace_is_over(user: User, frozen_clock: FrozenClock) -> None:
    issued = tokens.do_issue_token(verified(user), None)
    successor = tokens.do_refresh_token(issued.token)
    frozen_clock.advance(10)
    for token in (issued.token, successor.token):
        with pytest.raises(Unauthenticated):
            tokens.do_refresh_token(token)
    with read():
        assert TokenFamily.get().revoked_at is not None


def test_no_refresh_outlives_thirty_days(user: User, frozen_clock: FrozenClock) -> None:
    begun = clock.now()
    issued = tokens.do_issue_token(verified(user), None)
    for _ in range(59):
        frozen_clock.advance(12 * 3600)
        issued = tokens.do_refresh_token(issued.token)
        assert issued.expires_at == min(clock.now() + tokens.LIFETIME, begun + timedelta(days=30))
    frozen_clock.advance(12 * 3600)
    with pytest.raises(Unauthenticated):
        tokens.do_refresh_token(issued.token)


def test_one_successor_is_made_when_200_refresh_at_once(user: User, frozen_clock: FrozenClock) -> None:
    issued = tokens.do_issue_token(verified(user), None)
    outcomes = race(200, lambda: tokens.do_refresh_token(issued.token))
    assert all(isinstance(outcome, tokens.Issued) for outcome in outcomes)
    assert len({outcome.token for outcome in outcomes}) == 1
    assert len(outcomes) == 200
    with read():
        assert Token.select().count() == 2


def test_narrowed_token_cannot_be_refreshed(user: User) -> None:
    issued = tokens.do_issue_token(verified(user), None)
    with pytest.raises(tokens.NarrowedToken):
        tokens.do_refresh_token(narrow(issued.token, 'check if requested_scope("chat:read");'))


def test_unknown_token_cannot_be_refreshed(user: User) -> None:
    with pytest.raises(Unauthenticated):
        tokens.do_refresh_token(_mint("a:b"))
    with pytest.raises(Unauthenticated):
        tokens.do_refresh_token("nonsense")


def _role(name: str):
    with read():
        return access.Role.get(access.Role.name == name).id
