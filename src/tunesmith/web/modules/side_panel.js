/** The side panel: a column where there is room, a drawer elsewhere; its tabs, and all other lists of tabs. */

import { byId, setAttributes } from "./dom.js";

/** @typedef {"library" | "models"} Panel */

const DRAWER = "(max-width: 1199px)";
const PANELS = /** @type {const} */ (["library", "models"]);

/** Let the drawer and the tabs be used. */
export function followSidePanel() {
  byId("side-open").addEventListener("click", () => openDrawer(!byId("side").hasAttribute("data-open")));
  byId("side-close").addEventListener("click", () => {
    openDrawer(false);
    byId("side-open").focus();
  });
  document.addEventListener("pointerdown", ({ target }) => {
    if (target instanceof Element && !target.closest("#side, #side-open, #pop")) openDrawer(false);
  });
  for (const panel of PANELS) byId(`tab-${panel}`).addEventListener("click", () => showPanel(panel));
  for (const list of document.querySelectorAll('[role="tablist"]')) list.addEventListener("keydown", moveBetweenTabs);
}

/** @param {boolean} isOpen */
export function openDrawer(isOpen) {
  byId("side").toggleAttribute("data-open", isOpen);
  setAttributes(byId("side-open"), { "aria-expanded": isOpen });
  const chosen = byId("side").querySelector('[aria-selected="true"]');
  if (isOpen && chosen instanceof HTMLElement) chosen.focus();
}

/** @param {Panel} shown */
function showPanel(shown) {
  for (const panel of PANELS) {
    setAttributes(byId(`tab-${panel}`), { "aria-selected": panel === shown, tabindex: panel === shown ? 0 : -1 });
    byId(panel).hidden = panel !== shown;
  }
}

/** Show the library and go to its search. */
export function goToSearch() {
  if (matchMedia(DRAWER).matches) openDrawer(true);
  showPanel("library");
  byId("search").focus();
}

/** @param {Event} event */
function moveBetweenTabs(event) {
  if (!(event instanceof KeyboardEvent) || !(event.target instanceof HTMLElement)) return;
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const list = event.target.closest('[role="tablist"]');
  if (!by || !list) return;
  event.stopPropagation();
  event.preventDefault();
  const tabs = [...list.querySelectorAll('[role="tab"]')];
  const next = tabs[(tabs.indexOf(event.target) + by + tabs.length) % tabs.length];
  if (!(next instanceof HTMLElement)) return;
  next.focus();
  next.click();
}
