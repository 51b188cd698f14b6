// Figures in frames follow the theme that the reader chose for the site, and are as high as they
// are. A page opened from a file may not look into another: there they follow the system.
const within = (frame) => {
  try {
    return frame.contentDocument?.documentElement;
  } catch {
    return null;
  }
};

const follow = (frame) => {
  const root = within(frame);
  if (!root) return;
  const tell = () => {
    const { theme } = document.body.dataset;
    if (theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = theme;
    root.style.colorScheme = theme === "auto" ? "light dark" : theme;
  };
  const fit = () => {
    frame.style.height = `${root.ownerDocument.body.offsetHeight + 60}px`;
  };
  new MutationObserver(tell).observe(document.body, { attributeFilter: ["data-theme"] });
  new ResizeObserver(fit).observe(root.ownerDocument.body);
  tell();
};

addEventListener("DOMContentLoaded", () => {
  for (const frame of document.querySelectorAll("iframe.live")) {
    frame.addEventListener("load", () => follow(frame));
    if (within(frame)?.ownerDocument.readyState === "complete") follow(frame);
  }
});
