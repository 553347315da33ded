"""`python -m bench`: every claim about speed, one command after the other, each in a process of its own."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    """Run all; the exit code counts those that failed."""
    commands = sorted(path for path in HERE.glob("*.py") if not path.name.startswith("_"))
    return sum(subprocess.run([sys.executable, str(command)], check=False).returncode != 0 for command in commands)


if __name__ == "__main__":
    sys.exit(main())
