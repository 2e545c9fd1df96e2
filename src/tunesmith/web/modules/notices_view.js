/** Notices: the state of the server in the head, a banner while it does not answer or wants a token, and news. */

import { button, byId, element, icon } from "./dom.js";
import { isBeingMade } from "./generation.js";
import { Store } from "./store.js";
import { counted } from "./words.js";

/** @typedef {import("./types.js").State} State */

/**
 * @param {Store} store
 * @param {import("./server.js").Server} server
 */
export function showNotices(store, server) {
  store.watch((state) => [state.connection, state.takes], showStatus);
  store.watch(
    (state) => [state.connection.state, state.notice],
    (state) => showBanner(state, store, server),
  );
  store.watch(
    (state) => [state.connection.retrySeconds],
    ({ connection }) => {
      const place = document.getElementById("retry");
      if (place)
        place.textContent = connection.retrySeconds ? `trying again in ${connection.retrySeconds} s.` : "trying now.";
    },
  );
  store.watch(
    (state) => [state.announcement],
    ({ announcement }) => {
      byId("say").textContent = announcement;
    },
  );
}

/** @param {State} state */
function showStatus({ connection, takes }) {
  const making = takes.filter(isBeingMade).length;
  const here = /^(localhost|127\.|\[::1\])/.test(location.hostname)
    ? "Ready on this machine"
    : `Ready at ${location.host}`;
  const texts = {
    connecting: ["", "Connecting"],
    lost: ["off", "No server"],
    refused: ["off", "Token needed"],
    open: making ? ["busy", `Making ${counted(making, "take")}`] : ["ready", here],
  };
  const [kind = "", text = ""] = texts[connection.state];
  byId("status").replaceChildren(element("span", { class: `dot ${kind}` }), text);
}

/**
 * @param {State} state
 * @param {Store} store
 * @param {import("./server.js").Server} server
 */
function showBanner({ connection, notice }, store, server) {
  const banner = byId("banner");
  banner.hidden = connection.state !== "lost" && connection.state !== "refused" && notice === null;
  if (connection.state === "lost") {
    const text = element(
      "span",
      {},
      element("b", {}, "The server does not answer."),
      " What you typed and made is safe here; ",
      element("span", { attributes: { id: "retry", "aria-live": "off" } }),
    );
    banner.replaceChildren(
      icon("warn"),
      text,
      button("plain", "Try now", () => void server.look()),
    );
  } else if (connection.state === "refused") {
    banner.replaceChildren(...tokenForm(server));
  } else if (notice) {
    const text = element("span", {}, element("b", {}, `${notice.title}.`), ` ${notice.advice}`);
    banner.replaceChildren(
      icon("warn"),
      text,
      button("plain", "Dismiss", () => store.change({ notice: null })),
    );
  }
}

/** @param {import("./server.js").Server} server */
function tokenForm(server) {
  const box = element("input", {
    attributes: { id: "token", type: "password", autocomplete: "current-password", placeholder: "Token", required: true, pattern: "[!-~]+" },
  });
  const signIn = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    void server.signIn(box.value.trim());
  };
  const text = element(
    "span",
    {},
    element("b", {}, "The server wants a token."),
    " Whoever runs it makes one with ",
    element("code", {}, "tunesmith token create --name studio"),
    ".",
  );
  const form = element(
    "form",
    { class: "sign-in", on: { submit: signIn } },
    element("label", { class: "sr", attributes: { for: "token" } }, "Token"),
    box,
    element("button", { class: "plain strong", attributes: { type: "submit" } }, "Use it"),
  );
  return [icon("lock"), text, form];
}
