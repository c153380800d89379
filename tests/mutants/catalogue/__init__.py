"""Every mutant, in the order of a request's way through the house."""

from __future__ import annotations

from tests.mutants.catalogue import answers, chat, durable, federation, handlers, identity, pipeline
from tests.mutants.mutant import Mutant

_ROOMS = (pipeline, handlers, identity, federation, chat, answers, durable)
MUTANTS: tuple[Mutant, ...] = tuple(mutant for room in _ROOMS for mutant in room.MUTANTS)
