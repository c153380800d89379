# Generated from the contract by `accord generate`. Do not edit: change the contract or the generator.

from __future__ import annotations

from typing import Literal, Protocol

from core.kernel.call import Call, Reply
from models.contract.parameters import system as system_parameters
from models.contract import system


class ContractGetJson(Protocol):
    """GET /openapi.json (spec/paths/system/contract.yaml:3)."""

    def __call__(self, call: Call[None, None], /) -> system.Document | Reply[system.Document, Literal[200]]: ...


class ContractGetYaml(Protocol):
    """GET /openapi.yaml (spec/paths/system/contract.yaml:34)."""

    def __call__(self, call: Call[None, None], /) -> None | Reply[None, Literal[200]]: ...


class ContractShowRedoc(Protocol):
    """GET /redoc (spec/paths/system/contract.yaml:83)."""

    def __call__(self, call: Call[None, None], /) -> None | Reply[None, Literal[200]]: ...


class ContractShowSwagger(Protocol):
    """GET /docs (spec/paths/system/contract.yaml:63)."""

    def __call__(self, call: Call[None, None], /) -> None | Reply[None, Literal[200]]: ...


class HealthCheckDependencies(Protocol):
    """GET /api/v1/ready (spec/paths/system/health.yaml:84)."""

    def __call__(self, call: Call[None, None], /) -> system.DependencyReport | Reply[system.DependencyReport, Literal[200]] | Reply[system.DependencyReport, Literal[503]]: ...


class HealthCheckLiveness(Protocol):
    """GET /healthz (spec/paths/system/health.yaml:3)."""

    def __call__(self, call: Call[None, None], /) -> system.Liveness | Reply[system.Liveness, Literal[200]]: ...


class HealthCheckReadiness(Protocol):
    """GET /readyz (spec/paths/system/health.yaml:25)."""

    def __call__(self, call: Call[None, None], /) -> system.Readiness | Reply[system.Readiness, Literal[200]] | Reply[system.Unreadiness, Literal[503]]: ...


class HealthReport(Protocol):
    """GET /api/v1/health (spec/paths/system/health.yaml:60)."""

    def __call__(self, call: Call[None, None], /) -> system.HealthReport | Reply[system.HealthReport, Literal[200]]: ...


class MetricsGet(Protocol):
    """GET /metrics (spec/paths/system/metrics.yaml:3)."""

    def __call__(self, call: Call[None, None], /) -> None | Reply[None, Literal[200]]: ...


class SetupBootstrap(Protocol):
    """POST /auth/bootstrap (spec/paths/system/setup.yaml:68)."""

    def __call__(self, call: Call[system_parameters.SetupBootstrapParameters, system.Bootstrap], /) -> system.Bootstrapped | Reply[system.Bootstrapped, Literal[200]]: ...


class SetupCreate(Protocol):
    """POST /api/setup (spec/paths/system/setup.yaml:26)."""

    def __call__(self, call: Call[system_parameters.SetupCreateParameters, system.Setup], /) -> None | Reply[None, Literal[200]]: ...


class SetupGet(Protocol):
    """GET /api/setup (spec/paths/system/setup.yaml:3)."""

    def __call__(self, call: Call[None, None], /) -> system.SetupState | Reply[system.SetupState, Literal[200]]: ...


class WellKnownGet(Protocol):
    """GET /.well-known/{path} (spec/paths/system/well_known.yaml:3)."""

    def __call__(self, call: Call[system_parameters.WellKnownGetParameters, None], /) -> system.JsonEntry | Reply[system.JsonEntry, Literal[200]] | None | Reply[None, Literal[200]]: ...
