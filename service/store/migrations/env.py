"""Alembic's environment: the connection is handed over by `service.store.migrate`, never read from a file."""

from alembic import context
from sqlmodel import SQLModel

import service.domain  # noqa: F401  fills the metadata


def ours(_object: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
    """The job queue's tables belong to procrastinate; comparing them would propose to drop them."""
    return not (kind == "table" and (name or "").startswith("procrastinate_"))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    include_object=ours,  # type: ignore[arg-type]
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
