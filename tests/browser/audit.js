/* What a page must keep at every width and in both themes; returns a list of sentences, empty when all is well. */
() => {
  const found = [];
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const colour = (text) => {  // light-dark() and oklch() as plain numbers
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const c = colour(getComputedStyle(e).backgroundColor);
      if (c[3] > 250) return c;
    }
    return [255, 255, 255];
  };
  const seen = (e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest(".visually-hidden, svg")
    && e.getBoundingClientRect().width > 1 && getComputedStyle(e).clipPath === "none";

  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement, text = texts.currentNode.data.trim();
    if (!text || !seen(element)) continue;
    const [a, b] = [luminance(colour(getComputedStyle(element).color)), luminance(ground(element))].sort();
    const ratio = (b + 0.05) / (a + 0.05);
    if (ratio < 4.5) found.push(`contrast ${ratio.toFixed(2)}: ${text.slice(0, 40)}`);
  }
  for (const control of document.querySelectorAll("a[href], button, summary, select, input:not([type=hidden])")) {
    const box = control.getBoundingClientRect();
    const inText = getComputedStyle(control).display === "inline" || control.matches("label input");
    if (seen(control) && !inText && (box.height < 23.5 || box.width < 23.5) && !control.matches(".sk-sec-head a, .sk-crumbs a"))
      found.push(`${Math.round(box.width)} by ${Math.round(box.height)} is too small to press: ${control.outerHTML.slice(0, 80)}`);
  }
  const beyond = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (beyond > 0) found.push(`scrolls ${beyond} px sideways`);
  return found;
}
