// Checks of a view that need a browser: names of controls, structure, contrast, focus.

// Problems of structure and names, as sentences.
export const structure = (page) =>
  page.evaluate(() => {
    const problems = [];
    const shown = (element) => element.checkVisibility({ visibilityProperty: true });
    const name = (element) => {
      const labels = [...(element.labels ?? [])].map((label) => label.textContent).join(" ");
      const by = (element.getAttribute("aria-labelledby") ?? "").split(" ").filter(Boolean);
      const texts = by.map((id) => document.getElementById(id)?.textContent ?? "");
      return [element.getAttribute("aria-label"), ...texts, labels, element.textContent, element.title].join("").trim();
    };
    for (const control of document.querySelectorAll("a[href], button, input:not([type=hidden]), select, summary, [tabindex='0']")) {
      if (shown(control) && !name(control)) problems.push(`no name: ${control.outerHTML.slice(0, 120)}`);
    }
    const names = [...document.querySelectorAll("td button")].filter(shown).map(name);
    const twice = names.filter((one, index) => names.indexOf(one) !== index);
    if (twice.length > 0) problems.push(`buttons of one name: ${twice[0]}`);
    if (document.querySelectorAll("h1").length !== 1) problems.push("not exactly one h1");
    let level = 0;
    for (const heading of document.querySelectorAll("h1, h2, h3")) {
      const own = Number(heading.tagName[1]);
      if (own > level + 1) problems.push(`a level is left out before ${heading.textContent}`);
      level = own;
    }
    const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
    for (const id of new Set(ids)) if (ids.indexOf(id) !== ids.lastIndexOf(id)) problems.push(`two elements have the id ${id}`);
    for (const head of document.querySelectorAll("th")) if (!head.scope) problems.push(`a head without scope: ${head.textContent}`);
    for (const table of document.querySelectorAll("table")) if (!table.caption?.textContent) problems.push("a table without caption");
    for (const svg of document.querySelectorAll("svg")) {
      if (svg.getAttribute("role") !== "img" && svg.getAttribute("aria-hidden") !== "true") problems.push("a figure without role");
    }
    for (const landmark of ["header", "nav[aria-label]", "main", "footer"]) {
      if (!document.querySelector(landmark)) problems.push(`no ${landmark}`);
    }
    if (!document.documentElement.lang) problems.push("no language");
    if (!document.title) problems.push("no title");
    return problems;
  });

// Texts whose contrast is below that of WCAG 2.2 AA (4.5, or 3 for large text), as sentences.
export const contrast = (page) =>
  page.evaluate(() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const rgba = (colour) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const luminance = ([r, g, b]) => {
      const [x, y, z] = [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
      return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const background = (element) => {
      for (let one = element; one; one = one.parentElement) {
        const colour = rgba(getComputedStyle(one).backgroundColor);
        if (colour[3] === 255) return colour;
      }
      return rgba(getComputedStyle(document.documentElement).colorScheme.includes("dark") ? "black" : "white");
    };
    const problems = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      if (!walker.currentNode.textContent.trim() || !element.checkVisibility() || element.closest("svg, script, .unseen")) continue;
      const style = getComputedStyle(element);
      const [a, b] = [luminance(rgba(style.color)), luminance(background(element))].sort((x, y) => y - x);
      const ratio = (a + 0.05) / (b + 0.05);
      const size = parseFloat(style.fontSize);
      const least = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
      if (ratio < least) problems.push(`${ratio.toFixed(2)}: ${element.textContent.trim().slice(0, 40)} (${element.className})`);
    }
    return [...new Set(problems)];
  });

// Elements that can have the focus and do not show it.
export const focusShows = (page) =>
  page.evaluate(() => {
    const problems = [];
    for (const element of document.querySelectorAll("a[href], button, input:not([type=hidden]), select, summary, [tabindex='0']")) {
      if (!element.checkVisibility()) continue;
      element.focus({ focusVisible: true });
      const style = getComputedStyle(element);
      if (document.activeElement === element && (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2)) {
        problems.push(element.outerHTML.slice(0, 100));
      }
    }
    return problems;
  });
