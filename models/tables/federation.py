"""Tables of logins by identity providers: the providers, who is who there, and logins that are under way.

What a login needs on its way back is encrypted under its `state`, which only the browser holds; of the state and of the
browser's cookie no more than SHA-256 is kept.
"""

from __future__ import annotations

from uuid import UUID

import peewee

from models.tables.fields import InstantField
from models.tables.identity import User
from models.tables.table import Table


class FederationProviderRow(Table):
    """A provider that an administrator stored or removed; either wins over a file of the name.

    document: the definition as JSON, its client_secret left out; null for a removed one. sealed_secret: the client_secret,
    encrypted under the service's key.
    """

    name = peewee.CharField(max_length=64, primary_key=True)
    document = peewee.TextField(null=True)
    sealed_secret = peewee.BlobField(null=True)
    changed_at = InstantField()

    class Meta:
        table_name = "federation_providers"


class FederatedIdentity(Table):
    """Whom a provider's subject is here. authority: the issuer, or where an OAuth 2.0 provider tells who is there."""

    authority = peewee.CharField(max_length=255)
    subject = peewee.CharField(max_length=255)
    user_id: UUID
    user = peewee.ForeignKeyField(User, on_delete="CASCADE")
    linked_at = InstantField()

    class Meta:
        table_name = "federated_identities"
        primary_key = peewee.CompositeKey("authority", "subject")


class LoginFlow(Table):
    """A login that left for a provider. digest: of its state. browser_digest: of the cookie it must come back with."""

    digest = peewee.CharField(max_length=64, primary_key=True)
    provider = peewee.CharField(max_length=80)
    browser_digest = peewee.CharField(max_length=64)
    sealed = peewee.BlobField()
    person_name = peewee.CharField(max_length=250, null=True)
    expires_at = InstantField(index=True)

    class Meta:
        table_name = "login_flows"
