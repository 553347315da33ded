"""Alembic's environment: the connection is handed over by `service.store.migrate`, never read from a file."""

from typing import Literal

from alembic import context
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

import service.domain  # noqa: F401  fills the metadata


def ours(_object: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
    """The job queue's tables belong to procrastinate; comparing them would propose to drop them."""
    return not (kind == "table" and (name or "").startswith("procrastinate_"))


def plain(kind: str, thing: object, _autogen: object) -> str | Literal[False]:
    """SQLModel's own string type is a VARCHAR: a revision says so in SQLAlchemy's words."""
    if kind == "type" and isinstance(thing, AutoString):
        return f"sa.String(length={thing.length})" if thing.length else "sa.String()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    include_object=ours,
    render_item=plain,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
