"""How each operation is asked for something of one's own: a row per operation, a module per area.

A row of `SAMPLES` is a function that makes what the operation needs in a scene and returns the request: of one's own, of
a stranger's, of nothing at all, all derived from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.isolation.sample import Sample
from tests.isolation.samples import chat, federation, identity, limits, system
from tests.isolation.scene import Scene

Factory = Callable[[Scene], Sample]
FACTORIES: Mapping[str, Factory] = {
    **system.SAMPLES,
    **identity.SAMPLES,
    **federation.SAMPLES,
    **limits.SAMPLES,
    **chat.SAMPLES,
}
