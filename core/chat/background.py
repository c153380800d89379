"""What the chat area runs in the background of every worker: its providers, its writer and its jobs."""

from __future__ import annotations

from core.ai import generation, registry
from core.chat import clearing, completions, participants, replies
from core.chat.posting import REPLY_JOB
from core.identity import users
from core.kernel.settings import Settings
from core.system import jobs


def configure(settings: Settings) -> None:
    """Set up the providers and the writer of generated text, name the jobs, and follow deleted users."""
    registry.configure(settings)
    generation.configure(settings)
    register_jobs()
    users.on_departure(participants.leave_all)


def register_jobs() -> None:
    """Name the functions that run this area's jobs."""
    jobs.register(REPLY_JOB, replies.run)
    jobs.register(completions.COMPLETION_JOB, completions.run)
    jobs.register(clearing.CLEARING_JOB, clearing.run)
