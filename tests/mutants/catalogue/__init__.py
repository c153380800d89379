"""Every mutant, in the order of a request's way through the house."""

from __future__ import annotations

from tests.mutants.catalogue import chat, durable, handlers, identity, pipeline
from tests.mutants.mutant import Mutant

MUTANTS: tuple[Mutant, ...] = pipeline.MUTANTS + handlers.MUTANTS + identity.MUTANTS + chat.MUTANTS + durable.MUTANTS
