// Is the page dark? Every host says so in its own way; the operating system is asked last, because
// it is often overruled.
// @ts-check

const DARK = ["vscode-dark", "vscode-high-contrast"];
const LIGHT = ["vscode-light", "vscode-high-contrast-light"];
const ATTRIBUTES = ["class", "theme", "data-theme", "data-jp-theme-light"];

/**
 * @param {Document} page
 * @param {boolean} systemDark what `prefers-color-scheme` says
 */
export function isDark(page, systemDark) {
  const { body, documentElement: root } = page;
  const jupyter = body?.dataset.jpThemeLight;
  if (jupyter !== undefined) return jupyter === "false";
  if (DARK.some((name) => body?.classList.contains(name))) return true;
  if (LIGHT.some((name) => body?.classList.contains(name))) return false;
  // Colab; documentation sites
  const named = root.getAttribute("theme") ?? root.dataset.theme ?? body?.dataset.theme;
  // anything else, such as "auto", leaves it to the system
  return /dark|light/i.test(named ?? "") ? /dark/i.test(named ?? "") : systemDark;
}

/**
 * Call back with the theme now and whenever it changes. Returns what stops watching.
 * @param {(dark: boolean) => void} notify
 */
export function watchTheme(notify) {
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const tell = () => notify(isDark(document, system.matches));
  const observer = new MutationObserver(tell);
  for (const node of [document.documentElement, document.body]) {
    if (node) observer.observe(node, { attributes: true, attributeFilter: ATTRIBUTES });
  }
  system.addEventListener("change", tell);
  tell();
  return () => {
    observer.disconnect();
    system.removeEventListener("change", tell);
  };
}
