"""What the site's build does beside reading docs/pages: writes the generated pages, turns formulas into MathML, and takes from the
network what the theme would load from it."""

from __future__ import annotations

import html
import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))  # mkdocs loads this file by its path

import generate  # noqa: E402
import ziamath  # noqa: E402
from latex2mathml.converter import convert  # noqa: E402
from mkdocs.structure.files import File, Files  # noqa: E402
from mkdocs.utils import get_relative_url  # noqa: E402

FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)
FONT = Path(ziamath.__file__).parent / "fonts" / "STIXTwoMath-Regular.ttf"  # many machines have no font for formulas
SHIM = "https://unpkg.com/iframe-worker/shim"


def on_files(files: Files, config: Any) -> Files:
    """Add the generated pages and the font."""
    for path, text in generate.pages().items():
        files.append(File.generated(config, path, content=text))
    files.append(File.generated(config, "assets/STIXTwoMath-Regular.ttf", abs_src_path=str(FONT)))
    return files


def on_page_content(content: str, **_: Any) -> str:
    """Formulas as MathML, which browsers draw by themselves."""
    return FORMULA.sub(_mathml, content)


def _mathml(found: re.Match[str]) -> str:
    block = found[2] == "["
    drawn = convert(html.unescape(found[3]).strip(), display="block" if block else "inline")
    return f'<div class="formula" tabindex="0">{drawn}</div>' if block else drawn


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """The worker of the search comes with the site."""
    return output.replace(SHIM, get_relative_url("worker.js", page.url))


def on_post_template(output_content: str, **_: Any) -> str:
    return output_content.replace(SHIM, "worker.js")
