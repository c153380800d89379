"""The two tenants of the matrix, each with a mark that everything made there carries and nobody of the other may read."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.kernel.principal import ROOT_TENANT_ID


@dataclass(frozen=True)
class Side:
    """A tenant. mark: occurs in every name, title and address of it."""

    tenant_id: UUID
    mark: str

    @property
    def domain(self) -> str:
        """Return the domain of its people's addresses."""
        return f"{self.mark}.example"


HOME = Side(ROOT_TENANT_ID, "heron")
OTHER = Side(UUID("01936f4e-0000-7000-8000-00000000beef"), "osprey")
