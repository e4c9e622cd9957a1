"""The written report: complete, self-contained, escaped, legible by machine."""

import base64
import gzip
import json
import re
from html.parser import HTMLParser

import pytest
import yaml

from trialsim.cli import compose
from trialsim.report import write_report
from trialsim.report.methods import methods
from trialsim.report.reader import read_run
from trialsim.report.theme import TONES

SECTIONS = [
    "summary", "patients", "agreement", "response", "survival", "exposure", "pharmacodynamics", "safety",
    "tumour-types", "reliability", "methods", "assumptions", "provenance",
]  # fmt: skip
FIGURES = [
    "comparison", "waterfall", "spider", "swimmer", "km_pfs", "km_os", "exposure_cmin_ng_ml", "exposure_auc24_ng_h_ml",
    "pd_ps6", "pd_p4ebp1", "pd_pakt", "pd_perk", "pd_autophagy", "toxicity", "dose_intensity", "modifications",
    "forest_orr", "forest_dcr", "forest_clinical_benefit_rate", "recovery", "rank", "ppc", "loo",
]  # fmt: skip


class Page(HTMLParser):
    """Tags with their attributes, visible text outside scripts and styles, and the inside of scripts."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.scripts, self._in = [], [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._in = tag if tag in ("script", "style") else self._in
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag):
        self._in = None if tag == self._in else self._in

    def handle_data(self, data):
        if self._in == "script":
            self.scripts[-1] += data
        elif self._in is None:
            self.text.append(data)

    def unpacked(self, index):
        """The text of a script that the page carries compressed."""
        return gzip.decompress(base64.b64decode(self.scripts[index])).decode()

    @property
    def words(self):
        return " ".join(" ".join(self.text).replace("\u00a0", " ").split())


def read(folder):
    return Page((folder / "report.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize("which", ["adult_run", "paediatric_run"])
def test_all_sections_and_contents_links(which, request):
    page = read(request.getfixturevalue(which))
    ids = [attrs["id"] for tag, attrs in page.tags if tag == "section"]
    expected = SECTIONS if which == "adult_run" else [*SECTIONS[:5], "dose-finding", *SECTIONS[5:]]
    assert ids == expected
    links = [attrs["href"][1:] for tag, attrs in page.tags if tag == "a" and attrs.get("href", "").startswith("#")]
    assert set(expected) <= set(links)


def test_every_figure_has_a_place_a_text_alternative_and_a_file(adult_run):
    page = read(adult_run)
    places = {attrs["data-figure"]: attrs for _, attrs in page.tags if "data-figure" in attrs}
    assert list(places) == FIGURES
    specs = json.loads(page.unpacked(0))
    for key, attrs in places.items():
        assert attrs["role"] == "img" and len(attrs["aria-label"]) > 40
        saved = json.loads((adult_run / "figures" / f"{key}.json").read_text())
        assert saved == specs[key]
    assert "plotly.js v" in page.unpacked(2)


def test_phase_one_figures(paediatric_run):
    page = read(paediatric_run)
    places = [attrs["data-figure"] for _, attrs in page.tags if "data-figure" in attrs]
    assert "dlt" in places and "mtd" in places
    assert "The published study declared 5 mg/m²" in page.words


def test_nothing_is_loaded_from_elsewhere(adult_run):
    page = read(adult_run)
    for tag, attrs in page.tags:
        for name in ("src", "href", "action", "data", "poster", "srcset"):
            assert not re.match(r"\s*(https?:)?//", attrs.get(name) or ""), (tag, attrs)
        assert tag not in {"link", "iframe", "img", "object", "embed"}
    policy = next(attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'") and "http" not in policy
    styles = re.findall(r"<style>(.*?)</style>", (adult_run / "report.html").read_text(encoding="utf-8"), re.DOTALL)
    assert not any("url(" in style or "@import" in style for style in styles)


@pytest.mark.parametrize("which", ["adult_run", "paediatric_run"])
def test_size(which, request):
    assert (request.getfixturevalue(which) / "report.html").stat().st_size < 3e6


def test_text_from_files_is_escaped(adult_run):
    html = (adult_run / "report.html").read_text(encoding="utf-8")
    page = Page(html)
    assert len(page.scripts) == 4  # figure data, colours, plotly, the page's own
    assert "<script>alert(1)</script>" in page.words  # the tumour type shows as text
    assert not any(script.startswith("alert(1)") for script in page.scripts)
    assert "<em>in the test folder</em>" in page.words and "<i>n=126</i>" in page.words
    # inside plotly, which reads a little HTML of its own
    ticks = json.loads(page.unpacked(0))["forest_orr"]["layout"]["yaxis"]["ticktext"]
    assert any("&lt;script&gt;" in tick for tick in ticks) and not any("<script" in tick for tick in ticks)


def test_print_dark_and_narrow_styles(adult_run):
    html = (adult_run / "report.html").read_text(encoding="utf-8")
    assert "@media print" in html and "prefers-color-scheme: dark" in html and "max-width: 600px" in html
    assert all(f"--{name.replace('_', '-')}: {tone.dark};" in html for name, tone in TONES.items())


def test_light_colours_belong_to_one_token_each():
    light = [tone.light for tone in TONES.values()]
    assert len(set(light)) == len(light)


def test_figures_use_tokens_only(adult_run):
    """Any other colour would not change on a dark page."""
    known = {tone.light for tone in TONES.values()} | {"rgba(0,0,0,0)"}
    for path in (adult_run / "figures").glob("*.json"):
        found = set(re.findall(r'"(#[0-9a-fA-F]{3,8}|rgba?\([^"]*\))"', path.read_text()))
        assert found <= known, path.name


def test_written_twice_is_the_same(make_run):
    folder = make_run(count=30)
    first = write_report(folder).read_bytes()
    assert write_report(folder).read_bytes() == first


def test_reads_without_writing_elsewhere(make_run):
    folder = make_run(count=30)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    write_report(folder)
    assert {path: path.read_bytes() for path in before} == before
    assert {path.name for path in folder.iterdir()} - {path.name for path in before} == {
        "report.html",
        "figures",
        "tables",
    }


def test_methods_tell_what_the_settings_of_the_run_say(make_run):
    """Only what was saved is told: with all sections of a study, in the words of their values; without them, less."""
    folder = make_run()
    write_report(folder)
    bare = methods(read_run(folder))
    assert not any("Rodas3" in text or "RECIST" in text or "NUTS" in text for text in bare)
    settings = compose("everolimus_adult", {"endpoint.maximum_gap_weeks": 18, "endpoint.reader_cv": 0.07}).model_dump(mode="json")
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    told = " ".join(methods(read_run(folder))).replace("\u00a0", " ")
    assert "16 patients were computed again" not in told  # the synthetic check does not say over how many days
    for words in ("error of 0.001", "hold 59 patients", "every 8 weeks", "CV of their sum 7.0 %", "unconfirmed",
                  "more than 18 weeks", "4 chains of 1,500 draws after 1,000", "later line", "R-hat above 1.01"):  # fmt: skip
        assert words in told, words
