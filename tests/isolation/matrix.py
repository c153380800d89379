"""One operation against every caller and every object: what was answered, and what should have been."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from core.kernel.operation import Operation
from tests.client import Answer
from tests.isolation import rules
from tests.isolation.callers import Caller
from tests.isolation.sample import Sample, missing_like
from tests.isolation.samples import FACTORIES
from tests.isolation.side import HOME, OTHER
from tests.isolation.world import World
from tests.oracle import EVENT_STREAM, Answered

VARYING = re.compile(r"date|x-request-id|content-length|(x-)?ratelimit-.*|x-usage-.*", re.IGNORECASE)
"""Headers that tell two answers apart without telling anything of the object."""


@dataclass
class Matrix:
    """The cells of one operation. failures: one line each."""

    world: World
    operation: Operation
    cells: int = 0
    failures: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Ask as every caller; at the end the owners of what was denied are served, so no refused request had effect."""
        member, stranger = self.world.member, self.world.other_member
        mine, theirs = self._make(member, HOME), self._make(stranger, OTHER)
        for caller in self.world.callers:
            own, foreign = (mine, theirs) if caller.side is HOME else (theirs, mine)
            if (status := rules.refusal(self.operation, caller)) is not None:
                self._refused(caller, status, own, foreign)
            else:
                self._admitted(caller, foreign)
        for owner, side, sample in (("member", HOME, mine), ("other member", OTHER, theirs)):
            witness = self._witness(owner)
            what = "own" if witness.side is side else "foreign"
            self._served(witness, sample, f"{owner}'s, after every refusal", what)

    def _refused(self, caller: Caller, status: int, own: Sample, foreign: Sample) -> None:
        """Expect one answer whatever is named: who is turned away learns nothing."""
        samples = {"own": own}
        if own.named:
            samples |= {"foreign": own.naming(_values(foreign)), "missing": own.naming(_missing(own))}
        answers = {what: self._ask(caller, sample) for what, sample in samples.items()}
        for what, answer in answers.items():
            self._expect(answer.status == status, f"{caller.name}, {what}: {answer.status} instead of {status}", answer)
        shown = {what: comparable(answer, samples[what]) for what, answer in answers.items()}
        for what in ("foreign", "missing"):
            if what in shown and shown[what] != shown["own"]:
                self._fail(f"{caller.name}: {what} is told from own\n    {shown[what]}\n    {shown['own']}")

    def _admitted(self, caller: Caller, foreign: Sample) -> None:
        own = self._make(caller.owner, caller.side)
        for names in _choices(own):
            there = own.naming({name: foreign.value(name) for name in names})
            nowhere = own.naming({name: missing_like(own.value(name)) for name in names})
            self._absent(caller, there, nowhere, names)
        self._served(caller, own, f"{caller.name}, own")

    def _absent(self, caller: Caller, there: Sample, nowhere: Sample, names: tuple[str, ...]) -> None:
        """Expect what is a stranger's to be answered like what does not exist."""
        missing, cell = self._ask(caller, nowhere), "+".join(names)
        self._expect(missing.status == 404, f"{caller.name}, missing {cell}: {missing.status} instead of 404", missing)
        exempt = rules.exemption(self.operation, caller, "foreign")
        if exempt is not None and exempt.served and names == there.named:
            side = OTHER if caller.side is HOME else HOME
            fresh = self._make(self.world.other_member if side is OTHER else self.world.member, side)
            self._served(caller, fresh, f"{caller.name}, foreign {cell}", "foreign")
            return
        foreign = self._ask(caller, there)
        status = (exempt and exempt.status) or 404
        self._expect(
            foreign.status == status, f"{caller.name}, foreign {cell}: {foreign.status} instead of {status}", foreign
        )
        if exempt is None and comparable(foreign, there) != comparable(missing, nowhere):
            told = f"{comparable(foreign, there)}\n    {comparable(missing, nowhere)}"
            self._fail(f"{caller.name}: foreign {cell} is told from missing\n    {told}")

    def _served(self, caller: Caller, sample: Sample, cell: str, what: rules.Object = "own") -> None:
        exempt = rules.exemption(self.operation, caller, what)
        answer = self._ask(caller, sample)
        if sample.spends and self.operation.security:
            caller.refresh()
        if exempt is not None and not exempt.served:
            self._expect(answer.status == exempt.status, f"{cell}: {answer.status} instead of {exempt.status}", answer)
            return
        self._expect(200 <= answer.status < 300, f"{cell}: {answer.status} instead of a success", answer)
        mark = (OTHER if caller.side is HOME else HOME).mark
        is_shown = what == "foreign" or rules.exemption(self.operation, caller, "foreign") is not None
        if mark.encode() in answer.content and not is_shown:
            self._fail(f"{cell}: tells of the other tenant: {answer.text[:300]}")

    def _witness(self, owner: str) -> Caller:
        """Return the owner by a good credential, or whoever else may where the owner may not."""
        callers = {caller.name: caller for caller in self.world.callers}
        candidates = (callers[name] for name in (owner, "superadmin", "session"))
        return next(caller for caller in candidates if rules.refusal(self.operation, caller) is None)

    def _make(self, person: object, side: object) -> Sample:
        return FACTORIES[self.operation.id](self.world.scene(person, side))

    def _ask(self, caller: Caller, sample: Sample) -> Answer:
        self.cells += 1
        client = self.world.client
        headers = {**sample.headers, **caller.headers(self.operation.method)}
        asked = client.asked(self.operation.id, **{**sample.parts(), "headers": headers})
        with client.transport.exchange(asked, 30) as opened:
            answered = Answered(opened.status, opened.headers, b"")
            if answered.media_type != EVENT_STREAM:
                answered = Answered(opened.status, opened.headers, b"".join(opened.chunks))
            client.oracle.check(asked, answered, self.operation.id)
        return Answer(answered.status, opened.headers, answered.body)

    def _expect(self, holds: bool, failure: str, answer: Answer) -> None:
        if not holds:
            self._fail(f"{failure}: {answer.content[:300]!r}")

    def _fail(self, line: str) -> None:
        self.failures.append(f"{self.operation.id}, {line}")


def comparable(answer: Answer, sample: Sample) -> tuple[int, list[tuple[str, str]], bytes]:
    """Return what a caller could tell two answers apart by, the names that it asked with left out."""
    body = answer.content
    for name in sample.named:
        body = body.replace(sample.value(name).encode(), b"NAMED")
    headers = [(name, value) for name, value in answer.headers if not VARYING.fullmatch(name)]
    return answer.status, headers, body


def _choices(sample: Sample) -> Iterator[tuple[str, ...]]:
    """Yield the names to be changed: each alone, and all together."""
    for name in sample.named:
        yield (name,)
    if len(sample.named) > 1:
        yield sample.named


def _values(sample: Sample) -> dict[str, str]:
    return {name: sample.value(name) for name in sample.named}


def _missing(sample: Sample) -> dict[str, str]:
    return {name: missing_like(sample.value(name)) for name in sample.named}
