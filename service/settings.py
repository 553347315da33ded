"""Settings: what the surroundings say about this installation; the only reader of the environment.

Every setting is an environment variable with the prefix XINDENG_ (XINDENG_HOME, XINDENG_DATABASE_URL, …).
What day it is, is not a setting of the machine: see service/clock.py.
"""

import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Mapping
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal, Self

from platformdirs import user_data_path
from pydantic import AnyHttpUrl, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SHORTEST_SECRET = 32
DEMO_DAY = date(2026, 6, 30)  # the last day of the demo's calendar: the published holidays end with the year
ROOT_HOME = Path("/var/lib/xindeng")
THIS_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})


class NotReady(Exception):
    """The machine or its settings are not ready: one sentence that says what to do, in Chinese and in English."""

    def __init__(self, zh: str, en: str) -> None:
        self.zh = zh
        self.en = en
        super().__init__(en)

    def said(self, language: str) -> str:
        """The sentence in this language; Chinese unless English is asked for."""
        return self.en if language.startswith("en") else self.zh


def default_home() -> Path:
    """A user's data folder; /var/lib/xindeng for root."""
    return ROOT_HOME if os.geteuid() == 0 else user_data_path("xindeng")


def usual_workers() -> int:
    """Two page processes where there are two cores: more do not help before the database is the limit."""
    return min(2, os.cpu_count() or 1)


class Settings(BaseSettings):
    """Frozen after reading; passed on as values, never looked up from inside an action."""

    model_config = SettingsConfigDict(env_prefix="XINDENG_", frozen=True, env_ignore_empty=True, extra="ignore")

    # Where things lie
    home: Path = Field(default_factory=default_home, description="data folder: database, models, mirror, uploads")
    database_url: SecretStr | None = Field(
        None, description="a PostgreSQL >= 15 whose user may create roles; none = own"
    )
    database_web_url: SecretStr | None = Field(None, description="only where an administrator made the roles by hand")
    database_cycle_url: SecretStr | None = Field(None, description="likewise, for jobs and intake")
    redis_url: SecretStr | None = Field(None, description="optional accelerator; nothing is lost without it")
    secret: SecretStr | None = Field(None, description="at least 32 characters; none = made once in <home>/secret")
    server_user: str = Field("xindeng", description="who the own database runs as when root starts it")
    policy: Path | None = Field(None, description="another policy.yaml than the one shipped")
    map: Path | None = Field(None, description="a GeoJSON of the areas with source and approval; none = the schematic")

    # Who says who somebody is
    real_name_url: AnyHttpUrl | None = Field(None, description="real-name service; none = firms cannot register")
    real_name_key: SecretStr | None = Field(None, description="shown to it as a bearer token")
    real_name_provider: str = Field("实名核验服务", max_length=80, description="its name, as people read it")
    real_name_seconds: float = Field(5, gt=0, le=20, description="how long an answer of it is waited for")

    # Who carries messages away
    sms_url: AnyHttpUrl | None = Field(None, description="SMS service; none = nothing leaves by SMS")
    sms_key: SecretStr | None = Field(None, description="shown to it as a bearer token")
    sms_provider: str = Field("短信服务", max_length=80, description="its name, as the operator reads it")
    smtp_host: str = Field("", description="mail server; none = nothing leaves by e-mail")
    smtp_port: int = Field(587, ge=1, le=65535)
    smtp_security: Literal["starttls", "tls", "none"] = Field("starttls", description="none: on this machine only")
    smtp_user: str = ""
    smtp_password: SecretStr | None = None
    smtp_sender: str = Field("", description="the address mail comes from")
    message_seconds: float = Field(5, gt=0, le=20, description="how long an answer of theirs is waited for")
    messages_a_day: int = Field(5, ge=1, le=100, description="at most so many to one person; legal ones go beyond")

    # How it is served
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65535)
    workers: int = Field(default_factory=usual_workers, ge=1, le=64)
    pool_size: int = Field(8, ge=1, le=100, description="connections, and so seats, of one process")
    public_url: AnyHttpUrl = Field(AnyHttpUrl("http://127.0.0.1:8000"), description="for QR codes and links in notices")
    trusted_proxies: str = Field("127.0.0.1", description="whose X-Forwarded-* headers are believed")
    metrics_token: SecretStr | None = Field(None, description="opens /metrics; none = closed outside the demo")
    api_rate: int = Field(10, ge=1, description="API requests a second of one key or session, on the average")
    api_burst: int = Field(30, ge=1, description="and at once after a pause; at least api_rate")
    api_address_rate: int = Field(100, ge=1, description="the same for one address (an IPv6 /64), whoever asks from it")
    api_address_burst: int = Field(300, ge=1, description="and at once after a pause; at least api_address_rate")
    enquiry_days: int = Field(180, ge=30, le=1095, description="then an enquiry by code loses name and telephone")
    upload_limit_mb: int = Field(50, ge=1, le=2048)
    session_idle_minutes: int = Field(30, ge=1)
    session_hours: int = Field(12, ge=1)
    undo_seconds: int = Field(60, ge=0, le=3600, description="how long a bank may take back answers given together")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_json: bool = True

    # What it is called
    demo: bool = Field(default=False, description="sign-in cards and a fixed calendar; never on a real city's data")
    demo_on: date | None = Field(None, description="the demo's today; 2026-06-30 unless said otherwise")
    language: Literal["zh_Hans_CN", "en"] = "zh_Hans_CN"
    site_name: str = "信灯"
    site_name_en: str = "Xindeng"
    city_name: str = "郑州市"
    city_name_en: str = "Zhengzhou"
    contact: str = Field("", description="a telephone or address printed at the foot of each page")
    hotline: str = Field("", description="the city's telephone for firms: on posters and where a code has ended")
    sponsor: str = Field("", description="主办单位; this and the next five stand in the footer where they are set")
    site_code: str = Field("", description="政府网站标识码")
    icp_number: str = ""
    police_number: str = ""
    accessibility_url: str = ""
    error_report_url: str = ""

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().absolute()

    @field_validator("secret")
    @classmethod
    def _long_enough(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(f"密钥太短，至少 {SHORTEST_SECRET} 个字符 / shorter than {SHORTEST_SECRET} characters")
        return secret

    @field_validator("real_name_url", "sms_url")
    @classmethod
    def _what_is_personal_travels_encrypted(cls, url: AnyHttpUrl | None) -> AnyHttpUrl | None:
        if url is not None and url.scheme != "https" and url.host not in THIS_MACHINE:
            raise ValueError("须为 https（本机除外） / https only, except on this machine")
        return url

    @field_validator("redis_url")
    @classmethod
    def _speaks_redis(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("应以 redis://、rediss:// 或 unix:// 开头 / starts with redis://, rediss:// or unix://")
        return url

    @model_validator(mode="after")
    def _bursts_hold_a_second(self) -> Self:
        if self.api_burst < self.api_rate or self.api_address_burst < self.api_address_rate:
            raise ValueError("API_BURST 不得小于 API_RATE / API_BURST is at least API_RATE, for addresses too")
        return self

    @model_validator(mode="after")
    def _is_found_where_it_listens(self) -> Self:
        """Not told otherwise, people reach it on this machine, at the port it listens on."""
        if "public_url" not in self.model_fields_set:
            object.__setattr__(self, "public_url", AnyHttpUrl(f"http://127.0.0.1:{self.port}"))
        return self

    @model_validator(mode="after")
    def _mail_has_a_sender_and_travels_encrypted(self) -> Self:
        if self.smtp_host and "@" not in self.smtp_sender:
            raise ValueError("SMTP_HOST 需要 SMTP_SENDER / needs SMTP_SENDER, an address")
        if self.smtp_host and self.smtp_security == "none" and self.smtp_host not in THIS_MACHINE:
            raise ValueError("SMTP_SECURITY 不加密只用于本机 / none is for this machine only")
        return self

    @model_validator(mode="after")
    def _demo_has_a_day(self) -> Self:
        if self.demo and self.demo_on is None:
            object.__setattr__(self, "demo_on", DEMO_DAY)
        if not self.demo and self.demo_on is not None:
            raise ValueError("XINDENG_DEMO_ON 只用于演示 / is for the demo only: set XINDENG_DEMO=1 too")
        return self

    @property
    def is_embedded(self) -> bool:
        """Whether the platform runs its own PostgreSQL."""
        return self.database_url is None

    @property
    def is_https(self) -> bool:
        """Whether people reach the pages encrypted, so that cookies may be marked Secure."""
        return self.public_url.scheme == "https"

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def mirror(self) -> Path:
        return self.home / "mirror"

    @property
    def uploads(self) -> Path:
        return self.home / "uploads"

    @cached_property
    def secret_key(self) -> str:
        """The installation's secret: from the environment, or made once and kept in <home>/secret."""
        if self.secret is not None:
            return self.secret.get_secret_value()
        return kept_secret(self.home / "secret")

    def make_home(self) -> Path:
        """Create the data folder, closed to other people; an existing one keeps its rights."""
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as wrong:
            raise NotReady(
                f"数据目录 {self.home} 无法建立（{wrong.strerror}）；请用 XINDENG_HOME 指定一个可写的目录。",
                f"The data folder {self.home} cannot be made ({wrong.strerror}); set XINDENG_HOME to another.",
            ) from wrong
        return self.home


def kept_secret(path: Path) -> str:
    """The secret in a file that only its owner reads; made on first use, by whoever comes first.

    Errors: NotReady when the file is readable by others, or holds too short a secret.
    """
    if not path.exists():
        write_once(path, secrets.token_urlsafe(48))
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise NotReady(f"{path} 对他人可读：请执行 chmod 600。", f"{path} is open to others: chmod 600 it.")
    secret = path.read_text(encoding="utf-8").strip()
    if len(secret) < SHORTEST_SECRET:
        raise NotReady(
            f"{path} 中的密钥太短，至少需要 {SHORTEST_SECRET} 个字符。",
            f"The secret in {path} is too short: at least {SHORTEST_SECRET} characters are needed.",
        )
    return secret


def write_once(path: Path, text: str) -> None:
    """Write a private file whole, unless another process was quicker: then theirs stands."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink()


def read_settings(**given: object) -> Settings:
    """Settings from the environment, with some given by the caller; NotReady names the first wrong one."""
    try:
        return Settings(**given)  # type: ignore[arg-type]  # names and types are checked by pydantic as it reads
    except ValidationError as wrong:
        first = wrong.errors()[0]
        name = "XINDENG_" + "_".join(str(part) for part in first["loc"]).upper() if first["loc"] else "XINDENG_*"
        raise NotReady(f"设置 {name} 有误：{first['msg']}", f"The setting {name} is wrong: {first['msg']}") from None


@lru_cache(maxsize=1)
def settings() -> Settings:
    """This process's settings, read once; tests build their own with `read_settings(home=…)`."""
    return read_settings()


def surroundings(*names: str) -> Mapping[str, str]:
    """Variables handed on to programs we start (the language and the search path, never our secrets)."""
    return {name: os.environ[name] for name in names if name in os.environ}


def runtime_folder() -> Path:
    """Where short-lived private things such as sockets may lie when the data folder's path is too long for them."""
    return Path("/run") if os.geteuid() == 0 and os.access("/run", os.W_OK) else Path("/tmp")  # noqa: S108


def hand_on(known: Settings) -> None:
    """Say these settings to the processes we start: what was given by hand here reaches them by the environment."""
    for name in known.model_fields_set:
        value = getattr(known, name)
        words = value.get_secret_value() if isinstance(value, SecretStr) else "" if value is None else str(value)
        os.environ[f"XINDENG_{name.upper()}"] = words
    settings.cache_clear()


def share_metrics(folder: Path) -> None:
    """Let the processes we start count together: prometheus_client reads this name as it is imported."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def shared_metrics() -> Path | None:
    """The folder in which this machine's page processes count together, if they do."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    return Path(folder) if folder else None
