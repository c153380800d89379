"""Every question to a table that tenants own names the tenant, or has its reason here.

The isolation matrix (tests/isolation) asks from outside; this asks of each query, so that a new one is judged before
anybody has thought of a foreign caller for it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.structure import tenancy
from tests.structure.tree import Module, modules

# Reason → uses that name no tenant. A use that is gone, or names one by now, must leave.
UNSCOPED = {
    "behind access_conversation, access_thread or access_message in the same transaction: they compare the tenant, and "
    "the row is of what they returned": """
        core/chat/access.py reread Message.select
        core/chat/conversations.py get_conversation Participant.select
        core/chat/invites.py do_create_invite Invite.update
        core/chat/messages.py _announce Thread.select
        core/chat/messages.py _do_delete Message.update
        core/chat/messages.py do_edit_message Message.update
        core/chat/messages.py do_restore_message Message.update
        core/chat/messages.py list_chunks MessageChunk.select
        core/chat/participants.py _change_role Participant.update
        core/chat/participants.py _check_other_owner Participant.select
        core/chat/participants.py _take_out Participant.delete
        core/chat/participants.py find_participant Participant.get_or_none
        core/chat/participants.py join Participant.select
        core/chat/presence.py do_set_typing Typing.delete
        core/chat/threads.py _clock_at Message.select
        core/chat/threads.py _clock_at Thread.select
        core/chat/threads.py _moved Message.select
        core/chat/threads.py _moved Thread.select
        core/chat/threads.py _resting Thread.select
        core/chat/threads.py _summaries Message.join
        core/chat/threads.py _summaries Thread.select
        core/chat/threads.py _unread Message.select
        core/chat/threads.py do_mark_read Message.select
        core/chat/threads.py do_mark_read ReadMark.get
        core/chat/threads.py list_unread ReadMark.join
        core/chat/threads.py list_unread Thread.select
        core/chat/tree.py _ancestor_labels Message.select
        core/chat/tree.py _path_at Message.get_or_none
        core/chat/tree.py _rows Message.select
        core/chat/tree.py _streamed MessageChunk.select
        """,
    "behind _get_invite, which compares the tenant: the row is the one that it returned": """
        core/chat/invites.py do_accept_invite Invite.update
        core/chat/invites.py do_revoke_invite Invite.update
        """,
    "behind FIND_CONVERSATION, which compares the tenant, and in the transaction of TAKE_PLACE, whose role is none for "
    "another tenant's caller: the refusal takes it back": """
        core/chat/posting_sql.py COUNT_MESSAGES SQL threads
        core/chat/posting_sql.py END_TYPING SQL typing
        core/chat/posting_sql.py TAKE_PLACE SQL messages
        core/chat/posting_sql.py TAKE_PLACE SQL presence
        core/chat/posting_sql.py TAKE_PLACE SQL typing
        """,
    "an open stream asks whether its reader still takes part; access_conversation compared the tenant when it opened": """
        core/chat/access.py is_participant Participant.select
        """,
    "a job goes on with the conversation or message that was named in its payload when it was enqueued": """
        core/chat/clearing.py _delete_some key.model.delete
        core/chat/clearing.py _delete_some key.model.select
        core/chat/clearing.py _stop_answers Message.select
        core/chat/clearing.py run Conversation.delete
        core/chat/replies.py _history Message.select
        core/chat/replies.py _write_chunk MessageChunk.select
        core/chat/replies.py _write_end Message.update
        core/chat/replies.py run Message.get_or_none
        core/chat/replies.py stored_text MessageChunk.select
        core/limits/ledger.py _RELEASE SQL usage_reservations
        """,
    "a user who is deleted leaves every tenant's conversations": """
        core/chat/clearing.py clear_if_left Invite.update
        core/chat/clearing.py clear_if_left Participant.select
        core/chat/participants.py _hand_over Participant.select
        core/chat/participants.py leave_all Participant.select
        """,
    "a user has one presence, whichever tenant it was last seen in": """
        core/chat/presence.py _go_offline Presence.update
        core/chat/presence.py _silent Presence.select
        core/chat/presence.py do_send_heartbeat Presence.get_or_none
        """,
    "the tenant is what is asked for: where a login of this user leads to": """
        core/identity/access.py _JOINED SQL memberships
        """,
    "asks for whoever holds iam:admin by a system-wide role, which counts in every tenant": """
        core/identity/access.py is_last_superadmin UserRole.join
        """,
    "the row is the verified credential's own, by its secret or by the id that it was resolved to": """
        core/identity/api_keys.py do_touch_key ApiKey.update
        core/identity/callers.py _end_of Session.get_or_none
        core/identity/callers.py _end_of TokenFamily.get_or_none
        core/identity/callers.py _is_alive Session.get_or_none
        core/identity/callers.py _is_alive TokenFamily.get_or_none
        core/identity/sessions.py do_end_session Session.update
        core/identity/sessions.py do_touch_session Session.get_or_none
        core/identity/sessions.py get_session Session.get_or_none
        core/identity/tokens.py _revoke_family TokenFamily.update
        """,
    "all of a user's, in whichever tenant: five sessions at most, and none after a disabling or a new password": """
        core/identity/sessions.py _end_oldest Session.select
        core/identity/sessions.py _end_oldest Session.update
        core/identity/users.py revoke_credentials Session.update
        core/identity/users.py revoke_credentials TokenFamily.update
        """,
    "upkeep works through all tenants by age": """
        core/limits/ledger.py roll_up UsageEntry.delete
        core/limits/ledger.py roll_up UsageEntry.select
        core/system/upkeep.py _delete_some rule.table.delete
        core/system/upkeep.py _delete_some rule.table.select
        """,
    "the audit trail is the operator's: read from the command line and by upkeep, never by a request": """
        core/system/audit.py list_entries AuditEntry.select
        core/system/audit_chain.py _forgotten AuditEntry.select
        core/system/audit_chain.py _links AuditEntry.select
        core/system/audit_chain.py seal_some AuditEntry.select
        """,
}
EXEMPT = {place.strip() for places in UNSCOPED.values() for place in places.strip().splitlines()}


def _sources() -> tuple[Module, ...]:
    return modules("core", "handlers", "server")


def _unscoped(path: str, tree: ast.Module) -> set[str]:
    return {use.place for use in tenancy.uses(path, tree) if not use.is_scoped}


def test_every_use_of_a_tenants_table_names_the_tenant() -> None:
    found = [use for module in _sources() for use in tenancy.uses(module.path, module.tree)]
    bare = [f"{use.place} (line {use.line})" for use in found if not use.is_scoped and use.place not in EXEMPT]
    assert not bare, "\n".join(["neither scoped nor given a reason here:", *bare])
    assert not EXEMPT - {use.place for use in found if not use.is_scoped}, "no longer needed"
    assert not EXEMPT & {use.place for use in found if use.is_scoped}, "one place, one verdict: part them by functions"


def test_rows_of_tenants_are_asked_for_in_core_alone() -> None:
    outside = [module.path for module in modules("handlers", "server") if _unscoped(module.path, module.tree)]
    assert not outside


def _conditions(tree: ast.Module) -> Iterator[int]:
    """Yield the comparisons of a tenant's column, by their place in the tree's walk."""
    for at, node in enumerate(ast.walk(tree)):
        is_sql = isinstance(node, ast.Constant) and "tenant_id = :tenant" in str(node.value)
        if is_sql or tenancy.is_comparison(node):
            yield at


CONDITIONS = [(module, at) for module in modules("core") for at in _conditions(module.tree)]


def test_there_are_conditions_to_take_away() -> None:
    assert len(CONDITIONS) >= 15


@pytest.mark.parametrize(("module", "at"), CONDITIONS, ids=lambda part: getattr(part, "path", str(part)))
def test_a_condition_that_is_taken_away_is_missed(module: Module, at: int) -> None:
    tree = ast.parse(ast.unparse(module.tree))
    node = list(ast.walk(tree))[at]
    if isinstance(node, ast.Constant):
        node.value = str(node.value).replace("tenant_id = :tenant", "0 = 0", 1)
    else:
        assert isinstance(node, ast.Compare)
        node.left = ast.Name("nothing", ast.Load())
    assert _unscoped(module.path, tree) > _unscoped(module.path, module.tree)
