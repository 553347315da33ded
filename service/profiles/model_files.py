"""A kept model's files: opened with their hashes checked, and its card in short."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from risk import artifact
from risk.artifact import ArtifactError
from service.domain.errors import NotPossible

if TYPE_CHECKING:
    from risk.model import RiskModel


def open_model(models: Path, version: str) -> "RiskModel":
    """The model of a version; NotPossible, with the reason, where its files are missing or changed."""
    try:
        return _model(models / version, version)
    except (ArtifactError, OSError) as wrong:
        raise NotPossible("模型 {version} 的文件读不出来：{why}", version=version, why=wrong) from wrong


def find_file(models: Path, version: str, name: str) -> str | None:
    """One file of the artifact as it was written, its hash checked; None where the artifact holds no such file."""
    try:
        files, _version = artifact.opened(models / version, version)
    except (ArtifactError, OSError) as wrong:
        raise NotPossible("模型 {version} 的文件读不出来：{why}", version=version, why=wrong) from wrong
    return files.get(name)


def summary_of(model: "RiskModel") -> dict[str, Any]:
    """What the register keeps of a model: kind, day of its knowledge, rows, defaults, how it was measured."""
    card = model.card
    told = {name: card.get(name) for name in ("n", "events", "protocol", "measures", "intervals")}
    return {
        "kind": str(_of(card, "chosen").get("kind", "unknown")),
        "trained_as_of": _day(_of(card, "about").get("as_of")),
        "summary": {**told, "inputs": len(model.inputs)},
    }


def _of(card: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = card.get(name)
    return found if isinstance(found, Mapping) else {}


def _day(said: object) -> date | None:
    try:
        return date.fromisoformat(str(said))
    except ValueError:
        return None


@lru_cache(maxsize=4)
def _model(path: Path, version: str) -> "RiskModel":
    from risk.model import RiskModel

    return RiskModel.load(path, expect_version=version)
