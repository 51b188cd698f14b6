// Is the page dark? Every host says so in its own way; the operating system is asked last, because it is often overruled.
// @ts-check

/**
 * @param {Document} page
 * @param {boolean} systemDark what `prefers-color-scheme` says
 * @returns {boolean}
 */
export function isDark(page, systemDark) {
  const { body, documentElement: root } = page;
  const jupyter = body?.dataset.jpThemeLight;
  if (jupyter !== undefined) return jupyter === "false";
  if (body?.classList.contains("vscode-dark") || body?.classList.contains("vscode-high-contrast"))
    return true;
  if (
    body?.classList.contains("vscode-light") ||
    body?.classList.contains("vscode-high-contrast-light")
  )
    return false;
  const named = root.getAttribute("theme") ?? root.dataset.theme ?? body?.dataset.theme; // Colab; documentation sites
  if (named) return /dark/i.test(named);
  return systemDark;
}

/**
 * Call back with the theme now and whenever it changes.
 * @param {(dark: boolean) => void} notify
 * @returns {() => void} stops watching
 */
export function watchTheme(notify) {
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const tell = () => notify(isDark(document, system.matches));
  const observer = new MutationObserver(tell);
  for (const node of [document.documentElement, document.body]) {
    if (node)
      observer.observe(node, {
        attributes: true,
        attributeFilter: ["class", "theme", "data-theme", "data-jp-theme-light"],
      });
  }
  system.addEventListener("change", tell);
  tell();
  return () => {
    observer.disconnect();
    system.removeEventListener("change", tell);
  };
}
