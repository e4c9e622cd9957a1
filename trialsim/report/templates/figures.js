"use strict";
(async function () {
  // Compressed in the page: gzip in base64.
  async function unpacked(id) {
    const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (c) => c.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  }
  let specs;
  try {
    specs = JSON.parse(await unpacked("figure-data"));
    const library = document.createElement("script");
    library.textContent = await unpacked("plotly");
    document.head.append(library);
  } catch (error) {
    document.querySelector("p.noscript[hidden]").hidden = false;
    throw error;
  }
  const darkOf = JSON.parse(document.getElementById("colour-exchange").textContent);
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
  const NARROW = 440; // px: below this, smaller type and room for a legend of several lines
  const config = { responsive: true, displayModeBar: false, scrollZoom: false, showTips: false };
  let printing = false;

  // A copy of a figure in which every colour of the light page is its dark partner.
  function recolour(value, dark) {
    if (typeof value === "string") return dark && Object.hasOwn(darkOf, value) ? darkOf[value] : value;
    if (Array.isArray(value)) return value.map((item) => recolour(item, dark));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, recolour(item, dark)]));
    }
    return value;
  }

  function fit(layout, data, width) {
    if (width >= NARROW) return layout;
    layout.font.size = 11;
    for (const name of ["entrywidth", "entrywidthmode"]) delete layout.legend?.[name]; // columns of equal width would overlap
    const entries = data.filter((trace) => trace.showlegend === true).length;
    layout.height += layout.showlegend === false ? 0 : Math.max(44, 17 * entries);
    return layout;
  }

  function draw(place) {
    const spec = recolour(specs[place.dataset.figure], prefersDark.matches && !printing);
    const layout = fit(spec.layout, spec.data, place.clientWidth);
    place.style.minHeight = layout.height + "px";
    return Plotly.react(place, spec.data, layout, config);
  }

  const places = [...document.querySelectorAll("[data-figure]")];
  function drawAll() { places.forEach(draw); }

  // One figure after the other, so that the page stays responsive while it fills.
  (function next(index) {
    if (index >= places.length) { document.documentElement.dataset.drawn = "yes"; return; }
    draw(places[index]);
    setTimeout(() => next(index + 1), 0);
  })(0);

  // A file for a paper or a slide: the light colours on white, whatever the page shows.
  document.querySelectorAll("[data-save]").forEach((button) => button.addEventListener("click", () => {
    const spec = recolour(specs[button.dataset.save], false);
    const layout = { ...spec.layout, width: 900, paper_bgcolor: "#ffffff" };
    Plotly.downloadImage({ data: spec.data, layout }, { format: "svg", filename: button.dataset.save, width: layout.width, height: layout.height });
  }));

  let narrow = window.innerWidth < NARROW;
  window.addEventListener("resize", () => {
    if ((window.innerWidth < NARROW) !== narrow) { narrow = !narrow; drawAll(); }
  });
  prefersDark.addEventListener("change", drawAll);
  // On paper: light, and short folded tables open; the long ones (settings, convergence) are printed if the reader opened them.
  const LONG = 45; // rows
  let opened = [];
  window.addEventListener("beforeprint", () => {
    printing = true;
    opened = [...document.querySelectorAll("main details:not([open])")].filter((part) => part.querySelectorAll("tr").length < LONG && !part.matches(".assumptions"));
    opened.forEach((part) => { part.open = true; });
    drawAll();
  });
  window.addEventListener("afterprint", () => {
    printing = false;
    opened.forEach((part) => { part.open = false; });
    drawAll();
  });

  // Contents: folded on a small screen; the chapter in view is marked.
  const contents = document.querySelector(".contents details");
  if (window.innerWidth < 1080) contents.open = false;
  const links = new Map([...document.querySelectorAll(".contents a")].map((link) => [link.hash.slice(1), link]));
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      links.forEach((link) => link.removeAttribute("aria-current"));
      links.get(entry.target.id)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-10% 0px -80% 0px" });
  document.querySelectorAll("main > section").forEach((section) => seen.observe(section));
})();
