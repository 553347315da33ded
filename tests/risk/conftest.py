"""One trained model of each kind, made once for the tests of risk."""

import pytest

from risk import choice
from risk.features import FEATURES
from risk.model import RiskModel
from risk.train import train
from tests.risk.worlds import learnable

LEARNT = [one for one in FEATURES if one.name in ("months_in_business", "tax_late", "revenue")]


@pytest.fixture(scope="session")
def learnt():
    return LEARNT


@pytest.fixture(scope="session")
def sample():
    return learnable(3000)


@pytest.fixture(scope="session")
def folders(tmp_path_factory, sample):
    """An artifact of each kind; the kind is forced here only so that both are tested."""
    frame, labels = sample
    made = {}
    for kind in ("scorecard", "trees"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(choice, "best", lambda losses, kind=kind: min(
                (one for one in losses if one.kind == kind), key=lambda one: losses[one].mean()))  # fmt: skip
            made[kind] = train(frame, labels, LEARNT, tmp_path_factory.mktemp("models") / kind)
    return made


@pytest.fixture(scope="session", params=["scorecard", "trees"])
def model(request, folders):
    return RiskModel.load(folders[request.param])
