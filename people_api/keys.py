"""API keys: who may read, write, or do everything; of a key's secret only the SHA-256 is kept."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql import func

from ingestion.errors import BadRequest
from people_api.database.models import ApiKey

# Each may do what those before it may.
ROLES = ("reader", "writer", "admin")
_PREFIX = "tw"


@dataclass(frozen=True)
class Holder:
    """Whose key a request came with."""

    key_id: str
    role: str

    def may(self, role: str) -> bool:
        """Say whether the key is good for what `role` may do."""
        return ROLES.index(self.role) >= ROLES.index(role)


def create_key(engine: Engine, name: str, role: str) -> str:
    """Make a key and return it, `tw_<id>_<secret>`: nobody can ever read it again. Raises BadRequest on a role."""
    if role not in ROLES:
        raise BadRequest(f"unknown role {role!r}; the roles are {', '.join(ROLES)}")
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    with Session(engine) as session, session.begin():
        session.add(ApiKey(id=key_id, name=name, role=role, secret_sha256=_hash(secret)))
    return f"{_PREFIX}_{key_id}_{secret}"


def list_keys(engine: Engine) -> list[ApiKey]:
    """Return all keys, oldest first."""
    with Session(engine, expire_on_commit=False) as session:
        return list(session.scalars(select(ApiKey).order_by(ApiKey.created_at, ApiKey.id)))


def revoke_key(engine: Engine, key_id: str) -> None:
    """Close a key for good; raises BadRequest when there is none that is open."""
    with Session(engine) as session, session.begin():
        revoked = session.execute(
            update(ApiKey).where(ApiKey.id == key_id, ApiKey.revoked_at.is_(None)).values(revoked_at=func.now())
        )
        if not revoked.rowcount:
            raise BadRequest(f"no open key has the id {key_id!r}; list them with: tradewinds people key list")


def find_holder(engine: Engine, key: str) -> Holder | None:
    """Return whose key that is, None when it opens nothing; takes as long for a wrong secret as for the right one."""
    prefix, _, rest = key.partition("_")
    key_id, _, secret = rest.partition("_")
    if prefix != _PREFIX or not key.isascii() or not key.isprintable() or not secret:
        return None
    with Session(engine) as session:
        found = session.get(ApiKey, key_id)
        expected = found.secret_sha256 if found else bytes(32)
        is_right = hmac.compare_digest(expected, _hash(secret))
        return Holder(key_id, found.role) if found and is_right and not found.revoked_at else None


def _hash(secret: str) -> bytes:
    # 256 random bits need no slow hash: there is nothing to guess.
    return hashlib.sha256(secret.encode()).digest()
