// Figures follow the theme that the reader chose for the site, those on the page and those in
// frames, which are as high as what is in them. A page opened from a file may not look into its
// frames: there they follow the system.
const system = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;

const within = (frame) => {
  try {
    return frame.contentDocument?.documentElement;
  } catch {
    return null;
  }
};

const follow = () => {
  const chosen = document.body.dataset.theme;
  root.dataset.theme = /dark|light/.test(chosen) ? chosen : system.matches ? "dark" : "light";
  for (const frame of document.querySelectorAll("iframe.live")) {
    const inner = within(frame);
    if (!inner) continue;
    inner.dataset.theme = root.dataset.theme;
    inner.style.colorScheme = root.dataset.theme;
  }
};

const fit = (frame) => {
  const body = within(frame)?.ownerDocument.body;
  if (!body) return;
  new ResizeObserver(() => {
    frame.style.height = `${body.offsetHeight + 60}px`;
  }).observe(body);
};

// Which version is read, and a way to the front pages of the others.
const offerVersions = () => {
  const names = globalThis.clipxaiVersions ?? [];
  const brand = document.querySelector(".sidebar-brand");
  if (names.length < 2 || !brand) return;
  const site = new URL(root.dataset.content_root, location.href);
  const select = document.createElement("select");
  for (const name of names) select.add(new Option(name));
  select.value = decodeURIComponent(site.pathname).split("/").at(-2);
  select.addEventListener("change", () => {
    location.assign(new URL(`../${encodeURIComponent(select.value)}/docs/index.html`, site));
  });
  const label = document.createElement("label");
  label.className = "versions";
  label.append("version ", select);
  brand.after(label);
};

// What the theme leaves out for those who do not see the page, or have no mouse: how high its
// captions stand among the headings, and a way into code that is wider than its column.
const complete = () => {
  for (const caption of document.querySelectorAll('[role="heading"]:not([aria-level])')) {
    caption.ariaLevel = "2";
  }
  for (const code of document.querySelectorAll("pre")) code.tabIndex = 0;
};

addEventListener("DOMContentLoaded", () => {
  offerVersions();
  complete();
  for (const frame of document.querySelectorAll("iframe.live")) {
    const ready = () => (fit(frame), follow());
    frame.addEventListener("load", ready);
    if (within(frame)?.ownerDocument.readyState === "complete") ready();
  }
  new MutationObserver(follow).observe(document.body, { attributeFilter: ["data-theme"] });
  system.addEventListener("change", follow);
  follow();
});
