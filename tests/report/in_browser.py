"""A report opened in Chromium: what its console says, and what was drawn, at one width. Nothing but the browser is needed."""

import html
import json
import re
import shutil
import subprocess

CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
PROBE = """<script>
window.addEventListener("error", (event) => { document.documentElement.dataset.fault = event.message; });
window.addEventListener("unhandledrejection", (event) => { document.documentElement.dataset.fault = String(event.reason); });
</script>"""
MEASURE = """<script>
(function wait() {
  if (document.documentElement.dataset.drawn !== "yes") { setTimeout(wait, 50); return; }
  const size = (place) => {
    const box = place.querySelector("svg.main-svg")?.getBoundingClientRect();
    return box ? box.width * box.height : 0;
  };
  const outside = (place) => {
    const { left, right } = place.getBoundingClientRect();
    return [...place.querySelectorAll("svg text")].filter((text) => {
      const box = text.getBoundingClientRect();
      return box.width > 0 && (box.left < left - 2 || box.right > right + 2);
    });
  };
  const places = [...document.querySelectorAll("[data-figure]")];
  const found = {
    scroll: document.documentElement.scrollWidth, width: window.innerWidth, figures: places.length,
    undrawn: places.filter((place) => !(size(place) > 0)).map((place) => place.dataset.figure),
    cut: places.flatMap((place) => outside(place).map((text) => place.dataset.figure + ": " + text.textContent)),
    buttons: document.querySelectorAll(".toggles button[aria-pressed=true]").length,
    fault: document.documentElement.dataset.fault ?? null,
  };
  const left = document.createElement("pre");
  left.id = "measured";
  left.textContent = JSON.stringify(found);
  document.body.append(left);
})();
</script>"""


def opened(report, width, folder):
    """What a reader's browser makes of report.html at so many pixels: the measures of the probe, and ``console`` with its errors.

    A copy with the probe in it is opened in a frame: the window itself is never narrower than 500 px.
    """
    text = report.read_text(encoding="utf-8")
    (folder / "probed.html").write_text(text.replace("<head>", f"<head>{PROBE}", 1).replace("</body>", f"{MEASURE}</body>", 1))
    outer = f"""<iframe src="probed.html" style="border:0;width:{width}px;height:900px"></iframe><script>
    (function wait() {{
      const found = document.querySelector("iframe").contentDocument?.getElementById("measured");
      if (!found) {{ setTimeout(wait, 50); return; }}
      const copy = document.createElement("pre");
      copy.id = "found";
      copy.textContent = found.textContent;
      document.body.append(copy);
    }})();</script>"""
    (folder / "frame.html").write_text(f"<!DOCTYPE html><body>{outer}</body>")
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files", "--enable-logging=stderr",
        f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=60000", "--window-size=1400,1000", "--dump-dom",
        (folder / "frame.html").as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, f"the page was not drawn to its end: {done.stderr[-2000:]}"
    said = re.findall(r'CONSOLE[^\]]*\] "(.*?)", source', done.stderr)
    return json.loads(html.unescape(found[1])) | {"console": said}
