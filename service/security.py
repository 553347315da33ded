"""Passwords, tokens and keys: argon2id, random bytes, and hashes of what is stored."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from cryptography.fernet import Fernet, InvalidToken

HASHER = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1)
"""ASVS 5.0 appendix C, the least memory-hard setting it accepts: about a tenth of a second."""
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 128
TOO_COMMON = frozenset(
    [
        "12345678",
        "123456789",
        "1234567890",
        "password",
        "password1",
        "qwertyui",
        "qwerty123",
        "11111111",
        "00000000",
        "88888888",
        "66666666",
        "abcd1234",
        "a1234567",
        "aa123456",
        "iloveyou",
        "admin123",
        "admin888",
        "xindeng1",
        "xindeng123",
        "zhengzhou",
        "zhengzhou1",
        "zhenghaorong",
    ]
)
READABLE = "23456789abcdefghjkmnpqrstuvwxyz"
CODE_KEY_LENGTH = 16
_NOBODY = HASHER.hash(secrets.token_urlsafe(16))


def hash_password(password: str) -> str:
    """The argon2id hash to store."""
    return HASHER.hash(password)


def is_password(password: str, stored: str | None) -> bool:
    """Whether the password fits; an unknown person costs as much time as a known one."""
    try:
        return HASHER.verify(stored or _NOBODY, password) and stored is not None
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False


def weakness_of(password: str, login: str) -> str | None:
    """Why this password will not do, as a sentence, or None."""
    if len(password) < SHORTEST_PASSWORD:
        return "密码至少需要 8 个字符。"
    if len(password) > LONGEST_PASSWORD:
        return "密码最多 128 个字符。"
    if password.lower() in TOO_COMMON or password.lower() == login.lower():
        return "这个密码太常见，请换一个。"
    return None


def new_token() -> str:
    """256 random bits for a session, a form or a key."""
    return secrets.token_urlsafe(32)


def new_code_key() -> str:
    """79 random bits to be read off a poster: sixteen letters and digits, none of them like another."""
    return "".join(secrets.choice(READABLE) for _ in range(CODE_KEY_LENGTH))


def new_one_time_password() -> str:
    """59 random bits to be read out over a telephone: three groups of four letters and digits, none like another."""
    return "-".join("".join(secrets.choice(READABLE) for _ in range(4)) for _ in range(3))


def hash_token(token: str) -> str:
    """What is kept of a token: SHA-256; the token itself has enough randomness to need no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


def keyed_digest(secret: str, purpose: str, value: str) -> str:
    """What is kept of a value few enough people have to be guessed: it says 'the same again' to whoever has the key."""
    key = hashlib.sha256(f"{purpose}|{secret}".encode()).digest()
    return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()


def sealed(secret: str, purpose: str, value: str) -> str:
    """A value only this installation reads again (Fernet: AES-128-CBC with HMAC-SHA-256)."""
    return _sealer(secret, purpose).encrypt(value.encode()).decode()


def unsealed(secret: str, purpose: str, token: str) -> str | None:
    """What was sealed; None where the secret is another one by now."""
    try:
        return _sealer(secret, purpose).decrypt(token.encode()).decode()
    except InvalidToken:
        return None


def _sealer(secret: str, purpose: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(f"{purpose}|seal|{secret}".encode()).digest()))


def short_code(secret: str, purpose: str, value: str, digits: int) -> str:
    """A code of so many digits that follows from the value: sent, checked, and kept nowhere."""
    return str(int(keyed_digest(secret, purpose, value), 16) % 10**digits).zfill(digits)


def same(one: str, other: str) -> bool:
    """Equality in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())


@dataclass(frozen=True)
class NewApiKey:
    """A key as shown once: `prefix` finds it again, `hash` is what is stored."""

    prefix: str
    secret: str
    hash: str


def new_api_key() -> NewApiKey:
    """`xdk_<prefix>_<256 random bits>`."""
    prefix = secrets.token_hex(5)
    secret = f"xdk_{prefix}_{new_token()}"
    return NewApiKey(prefix=prefix, secret=secret, hash=hash_token(secret))


def prefix_of(api_key: str) -> str | None:
    """The prefix of a presented key, or None when it has not the form of one."""
    parts = api_key.split("_", 2)
    return parts[1] if len(parts) == 3 and parts[0] == "xdk" else None
