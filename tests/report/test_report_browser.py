"""Reports in a browser: no error in the console, every figure drawn, nothing wider than the window; and the colours' contrast."""

import re

import in_browser
import pytest

from trialsim.report.theme import TONES

FILLS = {  # tokens that are no mark of their own: grounds, lines of the grid, bands beside a line, shades that have an edge
    "page", "panel", "rule", "grid", "good_panel", "bad_panel", "note_panel", "simulated_50", "simulated_90", "second_50",
    "second_90", "grade_1", "grade_2", "grade_3", "cuts_1", "unexplained", "fall", "rise",
}  # fmt: skip
TEXT = ("ink", "muted", "link", "good", "bad")


@pytest.mark.skipif(in_browser.CHROMIUM is None, reason="no Chromium here")
@pytest.mark.parametrize("width", [390, pytest.param(1280, marks=pytest.mark.slow)])
def test_a_report_opens_without_fault(adult_run, tmp_path, width):
    found = in_browser.opened(adult_run / "report.html", width, tmp_path)
    assert found["console"] == [] and found["fault"] is None
    assert found["figures"] > 20 and found["undrawn"] == [] and found["cut"] == []
    assert found["width"] == width and found["scroll"] <= width
    assert found["buttons"] > 20


@pytest.mark.skipif(in_browser.CHROMIUM is None, reason="no Chromium here")
@pytest.mark.slow
def test_the_check_sees_what_is_wrong(adult_run, tmp_path):
    """A page that is too wide and throws is told from a good one."""
    spoilt = tmp_path / "report.html"
    text = (adult_run / "report.html").read_text(encoding="utf-8")
    wide = '<div style="width:2000px">x</div><script>setTimeout(() => nothing.here, 0)</script>'
    spoilt.write_text(text.replace("<main>", f"<main>{wide}", 1), encoding="utf-8")
    found = in_browser.opened(spoilt, 390, tmp_path)
    assert found["scroll"] > 390 and "nothing" in found["fault"] and any("nothing" in line for line in found["console"])


def luminance(colour, ground=(255, 255, 255)):
    """Relative luminance (WCAG 2.2), of a colour laid over a ground if it is half transparent."""
    if colour.startswith("#"):
        channels = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    else:
        *channels, opacity = map(float, re.findall(r"[\d.]+", colour))
        channels = [opacity * top + (1 - opacity) * below for top, below in zip(channels, ground, strict=True)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (channel / 255 for channel in channels)]
    return sum(share * c for share, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(colour, ground):
    channels = [int(ground[i : i + 2], 16) for i in (1, 3, 5)]
    low, high = sorted([luminance(colour, channels), luminance(ground)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("side", ["light", "dark"])
def test_marks_and_text_stand_out_from_the_page(side):
    tone = lambda name: getattr(TONES[name], side)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)  # the grey that WCAG's techniques give as the limit
    weak = {name: contrast(tone(name), tone("page")) for name in TONES.keys() - FILLS}
    assert not {name: ratio for name, ratio in weak.items() if ratio < 3.0}
    grounds = ("page", "panel", "good_panel", "bad_panel")
    assert all(contrast(tone(text), tone(ground)) >= 4.5 for text in TEXT for ground in grounds)
    cells = ("synergy", "antagonism", "effect_full", "harm_full", "fall", "rise")  # ends of the scales of heat maps
    assert all(contrast(tone("ink"), tone(cell)) >= 4.5 for cell in cells)
