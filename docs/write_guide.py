"""Writes the guide of each role, English and Chinese, from docs/guide/*.toml and the pictures beside it.

python docs/write_guide.py           # docs/guide/ROLE.md and ROLE.zh-CN.md
python docs/write_guide.py --check   # ends with 1 where a page of the guide is not what the file says
"""

import sys
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from docs.take_pictures import GUIDE, Page, pages_of

OTHER = {"en": "[中文]({role}.zh-CN.md)", "zh": "[English]({role}.md)"}
HEADS = {"en": ("on a desk", "on a phone"), "zh": ("电脑上", "手机上")}
FILES = {"en": "{role}.md", "zh": "{role}.zh-CN.md"}


def guide(file: Path, language: str) -> str:
    """One role's guide as Markdown."""
    said, role = tomllib.loads(file.read_text(encoding="utf-8")), file.stem
    title, opening = said[language]
    head = [f"# {title}", "", OTHER[language].format(role=role), "", opening.strip(), ""]
    return "\n".join([*head, *(line for page in pages_of(file) for line in _page(page, language))]).rstrip() + "\n"


def _page(page: Page, language: str) -> list[str]:
    title, words = page.zh if language == "zh" else page.en
    desk, phone = HEADS[language]
    pictures = [
        f'<img src="../pictures/guide/{page.name}-{size}.webp" alt="{title}, {seen}" width="{width}">'
        for size, seen, width in (("desk", desk, 640), ("phone", phone, 240))
    ]
    return [f"## {title}", "", f"`{page.route}`", "", words.strip(), "", " ".join(pictures), ""]


def written() -> dict[Path, str]:
    """Every file of the guide and what it should hold."""
    return {
        GUIDE / name.format(role=file.stem): guide(file, language)
        for file in sorted(GUIDE.glob("*.toml"))
        for language, name in FILES.items()
    }


def main() -> int:
    """Write, or compare."""
    stale = [path for path, text in written().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv:
        sys.stdout.writelines(f"{path.name} is not what its file says\n" for path in stale)
        return 1 if stale else 0
    for path, text in written().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
