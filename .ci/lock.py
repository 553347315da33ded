"""Print requirements.lock: every package the project and its extra `dev` need here, with the version installed here.

With `bench`: what that extra needs besides. Run by `make lock` in an environment where they are installed; no index
address is written.
"""

import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def closure(wanted: list[Requirement]) -> dict[str, str]:
    found: dict[str, str] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    while wanted:
        requirement = wanted.pop()
        name, extras = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        package = distribution(name)
        if not requirement.specifier.contains(package.version, prereleases=True):
            sys.exit(f"{name} {package.version} is installed, {requirement} is wanted: install it first")
        found[name] = package.version
        for line in package.requires or []:
            needed = Requirement(line)
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in (*extras, "")):
                wanted.append(needed)
    return found


def pinned(extra: str) -> dict[str, str]:
    whole = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    project = whole["project"]
    lines = [*whole["build-system"]["requires"], *project["dependencies"], *project["optional-dependencies"][extra]]
    return closure([Requirement(line) for line in lines])


def main() -> None:
    found = pinned("dev")
    if sys.argv[1:] == ["bench"]:
        found = {name: version for name, version in pinned("bench").items() if name not in found}
        sys.stdout.write(
            "# Made by `make lock`: what the extra `bench` needs besides requirements.lock, no addresses.\n"
        )
    else:
        sys.stdout.write("# Made by `make lock`: the project and its extra `dev`, each package once, no addresses.\n")
    sys.stdout.writelines(f"{name}=={version}\n" for name, version in sorted(found.items()))


if __name__ == "__main__":
    main()
