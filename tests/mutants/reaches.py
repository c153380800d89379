"""What reaches what: the tests that exercise each part of the tree. Values are arguments of pytest."""

from __future__ import annotations

_SERVER = "tests/unit/server"
_CORE = "tests/unit/core"
_CHAT = "tests/handlers/chat"
_IDENTITY = "tests/handlers/identity"
_DEFECTS = "tests/contract/test_known_defects.py"
_STOP = "test_stop_ends_streams_idle_and_half_sent_connections_at_once_and_lets_a_request_finish"

REACHES: dict[str, tuple[str, ...]] = {
    "bodies": (f"{_DEFECTS}::test_a_body_is_judged_by_the_whole_schema",),
    "queries": (
        f"{_DEFECTS}::test_a_query_means_what_its_style_and_schema_say",
        f"{_SERVER}/test_snapshot.py",
    ),
    "raw bodies": (
        f"{_SERVER}/test_bodies.py",
        f"{_DEFECTS}::test_a_body_is_refused_cleanly",
        f"{_DEFECTS}::test_a_chunked_body_is_capped",
        f"{_DEFECTS}::test_a_body_that_ends_early_is_400",
    ),
    "paths": (f"{_DEFECTS}::test_405_names_every_method", f"{_DEFECTS}::test_paths_are_matched_exactly"),
    "answers": (
        f"{_DEFECTS}::test_an_answer_that_breaks_the_contract_is_found",
        f"{_DEFECTS}::test_an_empty_success_needs_no_content_type",
    ),
    "pipeline": (f"{_SERVER}/test_pipeline.py", f"{_SERVER}/test_snapshot.py"),
    "worker": (f"{_SERVER}/test_worker.py",),
    "stop": (f"{_SERVER}/test_worker.py::{_STOP}",),
    "streams": (f"{_SERVER}/test_streams.py",),
    "job runner": (f"{_SERVER}/test_jobs.py",),
    "metrics": (f"{_SERVER}/test_metrics.py",),
    "headers as bytes": (f"{_SERVER}/test_headerbytes.py",),
    "metrics of workers": ("tests/drills/test_metrics_of_workers.py",),
    "published": ("tests/handlers/system/test_contract.py",),
    "projects": ("tests/codegen/test_project.py",),
    "telemetry": (f"{_SERVER}/test_cli.py",),
    "events": (f"{_CORE}/system/test_events.py",),
    "jobs": (f"{_CORE}/system/test_jobs.py",),
    "idempotency store": (f"{_CORE}/system/test_idempotency.py",),
    "epoch": (f"{_CORE}/system/test_epoch.py",),
    "health": (f"{_CORE}/system/test_health.py", "tests/handlers/system/test_health.py"),
    "setup": (f"{_CORE}/system/test_setup.py", "tests/handlers/system/test_setup.py"),
    "limits": (f"{_CORE}/limits/test_counters.py", f"{_CORE}/limits/test_meters.py"),
    "limiter": ("tests/handlers/limits/test_rate_profiles.py", "tests/handlers/limits/test_rate_assignments.py"),
    "limit stage": (f"{_SERVER}/test_limits.py", f"{_SERVER}/test_pipeline.py"),
    "sessions": (f"{_CORE}/identity/test_sessions.py", f"{_IDENTITY}/test_sessions.py"),
    "tokens": (f"{_CORE}/identity/test_tokens.py", f"{_IDENTITY}/test_tokens.py"),
    "session handlers": (f"{_IDENTITY}/test_sessions.py",),
    "token handlers": (f"{_IDENTITY}/test_tokens.py",),
    "callers": (f"{_CORE}/identity/test_callers.py",),
    "users": (f"{_IDENTITY}/test_users.py",),
    "logins by openid": (f"{_IDENTITY}/test_federation.py",),
    "accounts": (f"{_IDENTITY}/test_accounts.py",),
    "tenants": (f"{_IDENTITY}/test_tenants.py",),
    "strangers": (f"{_IDENTITY}/test_federation_of_strangers.py",),
    "liars": (f"{_IDENTITY}/test_federation_of_liars.py",),
    "microsoft": (f"{_CORE}/identity/federation/test_microsoft.py",),
    "provider files": (f"{_CORE}/identity/federation/test_files.py",),
    "outbound": (f"{_CORE}/system/test_outbound.py",),
    "throttling": (f"{_CORE}/identity/test_throttling.py",),
    "conversations": (f"{_CHAT}/test_conversations.py",),
    "participants": (f"{_CHAT}/test_participants.py",),
    "invites": (f"{_CHAT}/test_invites.py",),
    "threads": (f"{_CHAT}/test_threads.py",),
    "messages": (f"{_CHAT}/test_messages.py",),
    "presence": (f"{_CHAT}/test_presence.py",),
    "conversation streams": (f"{_CHAT}/test_streams.py",),
    "completions": (f"{_CHAT}/test_completions.py",),
    "generations": (f"{_CORE}/ai/test_generation.py",),
    "clearing": (f"{_CORE}/chat/test_clearing.py",),
    "silence": (f"{_CORE}/chat/test_presence.py",),
    "upkeep": (f"{_CORE}/system/test_upkeep.py",),
    "replies": (f"{_CORE}/chat/test_replies.py",),
}
