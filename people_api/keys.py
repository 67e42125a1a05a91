"""API keys and their roles; only the SHA-256 of a key's secret is kept."""

import hashlib
import hmac
import secrets

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql import func

from ingestion.errors import BadRequest
from people_api.database.models import ApiKey

# Each role includes the ones before it.
ROLES = ("reader", "writer", "admin")
_PREFIX = "tw"


def create_key(engine: Engine, name: str, role: str) -> str:
    """Create a key and return it, `tw_<id>_<secret>`; it can't be read again. Raises BadRequest on an unknown role."""
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
    """Revoke a key for good; raises BadRequest when no valid key has this id."""
    with Session(engine) as session, session.begin():
        is_valid = (ApiKey.id == key_id, ApiKey.revoked_at.is_(None))
        revoke = update(ApiKey).where(*is_valid).values(revoked_at=func.now()).returning(ApiKey.id)
        if session.scalar(revoke) is None:
            raise BadRequest(f"no open key has the id {key_id!r}; list them with: tradewinds people key list")


def find_key(engine: Engine, key: str) -> ApiKey | None:
    """Return a key, None if it isn't valid; a wrong secret takes as long as the right one."""
    prefix, _, rest = key.partition("_")
    key_id, _, secret = rest.partition("_")
    if prefix != _PREFIX or not key.isascii() or not key.isprintable() or not secret:
        return None
    with Session(engine) as session:
        found = session.get(ApiKey, key_id)
        expected = found.secret_sha256 if found else bytes(32)
        is_right = hmac.compare_digest(expected, _hash(secret))
        return found if found and is_right and not found.revoked_at else None


def includes(role: str, needed: str) -> bool:
    """Return whether a role includes another one."""
    return ROLES.index(role) >= ROLES.index(needed)


def _hash(secret: str) -> bytes:
    # 256 random bits can't be guessed, so they need no slow hash.
    return hashlib.sha256(secret.encode()).digest()
