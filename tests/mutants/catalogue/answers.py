"""Faults of generated answers: how they are written, continued, cancelled and ended, and of completions."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

_ANSWERS = ("replies", "messages")

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "cancelled answer goes on",
        "core/ai/generation.py",
        "                generation.is_cancelled = True\n                generation.stopped.set()",
        "                generation.is_cancelled = True",
        _ANSWERS,
    ),
    Mutant(
        "finish reason of a cancelled answer is stop",
        "core/ai/generation.py",
        'End(finish_reason="cancelled") if generation.is_cancelled',
        'End(finish_reason="stop") if generation.is_cancelled',
        _ANSWERS,
    ),
    Mutant(
        "finish reason of a silent provider is error",
        "core/ai/generation.py",
        'return End(finish_reason="timeout", error_code',
        'return End(finish_reason="error", error_code',
        _ANSWERS,
    ),
    Mutant(
        "deltas reordered",
        "core/ai/generation.py",
        "write(generation.waiting[:count], end)",
        "write(generation.waiting[:count][::-1], end)",
        _ANSWERS,
    ),
    Mutant(
        "written pieces written again",
        "core/ai/generation.py",
        "        del self.waiting[:pieces]\n",
        "",
        _ANSWERS,
    ),
    Mutant(
        "fenced worker writes on",
        "core/ai/generation.py",
        "for generation in ready if generation.sink.job.id in leases.held]",
        "for generation in ready]",
        _ANSWERS,
    ),
    Mutant(
        "chunk indices begin at one",
        "core/chat/replies.py",
        "idx = 0 if newest is None else newest + 1",
        "idx = 1 if newest is None else newest + 1",
        _ANSWERS,
    ),
    Mutant(
        "answer's content not stored",
        "core/chat/replies.py",
        "content = message.content + text",
        "content = message.content",
        _ANSWERS,
    ),
    Mutant(
        "failure not told",
        "core/chat/replies.py",
        "        if finish_reason in _FAILURES:\n",
        "        if False:\n",
        _ANSWERS,
    ),
    Mutant(
        "resumed answer begins anew",
        "core/ai/generation.py",
        "provider.stream(request, written=written)",
        'provider.stream(request, written="")',
        _ANSWERS,
    ),
    Mutant(
        "answer fills its message without regard to what stood there",
        "core/ai/generation.py",
        " - len(given) - len(written))",
        " - len(written))",
        _ANSWERS,
    ),
    Mutant(
        "answer begun for ever",
        "core/ai/generation.py",
        "    if attempt > MAX_ATTEMPTS:",
        "    if False:",
        ("generations",),
    ),
    Mutant(
        "answer of a remote provider begun anew behind its own text",
        "core/ai/generation.py",
        "    if is_begun and not provider.can_resume:",
        "    if False:",
        ("generations", "replies"),
    ),
    Mutant(
        "limit of a completion ignored",
        "core/ai/echo.py",
        "if isinstance(limit, int) and limit < len(words):",
        "if False:",
        ("completions",),
    ),
    Mutant(
        "completion stream without usage",
        "core/chat/completions.py",
        "if task.includes_usage and end.usage is not None:",
        "if False:",
        ("completions",),
    ),
    Mutant(
        "completion stream without its closing words",
        "core/chat/completions.py",
        r'closing=b"data: [DONE]\n\n"',
        'closing=b""',
        ("completions",),
    ),
    Mutant(
        "failed provider answers",
        "core/chat/completions.py",
        "        raise _problem(error) from error",
        '        answer = Answer(text="", finish_reason="stop", usage=None)',
        ("completions",),
    ),
)
