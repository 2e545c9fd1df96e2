/** The studio: what the page consists of, and how its parts are joined. */

import { Choice } from "./audible.js";
import { showBlank } from "./blank_view.js";
import { readBriefs } from "./brief.js";
import { showChange } from "./change_view.js";
import { Changes } from "./changes.js";
import { showChips } from "./chips_view.js";
import { byId, element } from "./dom.js";
import { download, fileNameOf, saveFile } from "./downloads.js";
import { chooseFile, followDrops } from "./dropping.js";
import { Generation, isBeingMade } from "./generation.js";
import { HitPoints } from "./hits_view.js";
import { initialState } from "./initial_state.js";
import { IntensityLayers } from "./intensity.js";
import { showIntensity } from "./intensity_view.js";
import { openJoin } from "./join_view.js";
import { keep, kept } from "./keeping.js";
import { Lanes } from "./lanes_view.js";
import { openLikeThis } from "./like_this_view.js";
import { followLive } from "./live_button.js";
import { isStreamed, LiveSounds } from "./live_sound.js";
import { Library } from "./library.js";
import { showLibrary } from "./library_view.js";
import { Models } from "./models.js";
import { showModels } from "./models_view.js";
import { Newest } from "./newest.js";
import { showNotices } from "./notices_view.js";
import { showOptions } from "./options_view.js";
import { Outlines } from "./outlines.js";
import { Player } from "./player.js";
import { openPopover } from "./popover.js";
import { inWords } from "./problems.js";
import { showPrompt } from "./prompt_view.js";
import { showRecent } from "./recent_view.js";
import { draftOf, requestsOf, SEEDS } from "./request.js";
import { Ruler } from "./ruler_view.js";
import { showScore } from "./score_view.js";
import { ScoreEdits } from "./score_edits.js";
import { Scores } from "./scores.js";
import { Server } from "./server.js";
import { showSettings } from "./settings_view.js";
import { shapeItems } from "./shape_menu.js";
import { Shaping } from "./shaping.js";
import { followKeys } from "./shortcuts.js";
import { followSidePanel, openDrawer } from "./side_panel.js";
import { Sounds } from "./sound.js";
import { showStage } from "./stage_view.js";
import { Stems } from "./stems.js";
import { Store, takeOf } from "./store.js";
import { showTakes } from "./takes_view.js";
import { followTheme } from "./theme.js";
import { openTrackMenu } from "./track_menu.js";
import { showTransport } from "./transport_view.js";
import { openUse } from "./use_view.js";
import { Screen } from "./video_view.js";

/**
 * @typedef {import("./types.js").Take} Take
 * @typedef {import("./types.js").Track} Track
 */

/** Bar 5 of another seed is another bar. */
const WITHOUT_EDITS = {
  title: "The variations are of the piece before its chords or sections were edited",
  advice: "To keep the edits, open the arrow beside Vary and keep both chords and form.",
};

const store = new Store(initialState(kept()));
const server = new Server(store);
const sounds = new Sounds(store, server);
const stems = new Stems(store, server);
const layers = new IntensityLayers(store, server);
const live = new LiveSounds(store, server, begun);
const player = new Player(store, sounds, new Choice(sounds, stems, layers, live));
const library = new Library(store, server);
const models = new Models(store, server);
const shaping = new Shaping(store, server, sounds, (id) => bring(id));
const scores = new Scores(store, server);
const changes = new Changes(store, server, (take) => generation.show(take));
const generation = new Generation(store, server, scores, live, (id, job) => void finished(id, job));

/** What takes the place of all that is on the stage: a piece of the library, or what is asked for. */
const stagings = new Newest();

/** Make what the draft asks for; an empty prompt is where to begin. */
function make() {
  if (!store.state.draft.prompt.trim()) return byId("prompt").focus();
  stagings.begin();
  store.change({ isPlaying: false });
  player.seek(0);
  void generation.make();
}

/** @param {string} id a take whose first second has arrived */
function begun(id) {
  const { current, isPlaying } = store.state;
  if (current !== id || isPlaying || !navigator.userActivation.hasBeenActive) return;
  store.change({ isLooping: false, isPlaying: true });
}

/**
 * @param {string} id a take that has just become music
 * @param {import("./types.js").Job} job
 */
async function finished(id, job) {
  const { state } = store;
  // One that was heard while it was made may have been paused since.
  const isFirst = state.current === id && !state.isPlaying && state.arrived[id] === undefined;
  const facts = takeOf(state, id)?.facts;
  // Browsers are silent until the user has touched the page, as after a reload.
  const plays = isFirst && navigator.userActivation.hasBeenActive;
  // Before the sound has come, so that it is heard before it is drawn: nothing may stand between it and the ear.
  if (isFirst) store.change({ isLooping: facts?.isLoop ?? false, isPlaying: plays });
  await sounds.load(id, job);
  if (plays && !sounds.of(id) && store.state.current === id) store.change({ isPlaying: false });
  const listed = library.refresh();
  await link(id);
  await listed;
  store.change({ announcement: `${facts?.title ?? "A take"} is ready` });
}

/** @param {string} id hear this take from the same place */
function choose(id) {
  if (id === store.state.current) return;
  const isFailed = takeOf(store.state, id)?.state === "failed";
  store.change({ current: id, previous: store.state.current, ...(isFailed ? { isPlaying: false } : {}) });
  generation.listen(id);
  void sounds.load(id);
}

/** @param {string} id a take that came as a file */
function bring(id) {
  const isLooping = takeOf(store.state, id)?.facts?.isLoop ?? false;
  store.change({ current: id, previous: store.state.current, region: null, isLooping });
  player.seek(0);
  store.change({ isPlaying: navigator.userActivation.hasBeenActive });
}

/** @param {Track} track */
async function open(track) {
  openDrawer(false);
  const isNewest = stagings.begin();
  const known = store.state.takes.find((take) => take.track === track.id);
  if (known) return choose(known.id);
  if (track.audio === null) return ask(track);
  store.change({ isPlaying: false });
  const take = await library.takeOf(track);
  // Another has been chosen, which came first.
  if (!isNewest()) return;
  store.change({
    takes: [take],
    current: take.id,
    previous: null,
    region: null,
    heard: [],
    parts: {},
    isLooping: take.facts?.isLoop ?? false,
  });
  player.seek(0);
  ask(track);
  await sounds.load(take.id);
  await link(take.id);
}

/** @param {string} id of a track */
async function openById(id) {
  const known = store.state.takes.find((take) => take.track === id);
  if (known) return choose(known.id);
  const track = await library.trackOf({ track: id });
  if (track) await open(track);
}

/** @param {Take} take */
async function tree({ track }) {
  return track ? library.tree(track) : undefined;
}

/** @param {Track} track */
function ask(track) {
  store.changeDraft(draftOf(track.request, store.state.draft));
}

/** @param {Take} take */
async function vary(take) {
  if (!take.track) return;
  generation.join(await library.vary(take.track, isStreamed(take.request)));
  const { score_edits: edits } = take.request;
  const isKept = ["chords", "form"].every((name) => store.state.locks.includes(name));
  if (Array.isArray(edits) && edits.length && !isKept) store.change({ notice: WITHOUT_EDITS });
}

/** @param {Take} take @param {HTMLElement} opener */
function openKeeping(take, opener) {
  openLikeThis(opener, take, store, { vary: (one) => void vary(one), tree, open: (id) => void openById(id) });
}

/**
 * @param {Take} take make it again beside itself, with fields changed; undefined leaves one out
 * @param {Record<string, unknown>} fields
 */
async function again(take, fields) {
  const { request } = take;
  const isVariation = Object.entries(fields).every(([name, value]) => value !== undefined || request[name] === undefined);
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  if (take.track && isVariation) return changes.set(take, given);
  // Fields that are left out cannot be a change of it.
  store.change({ previous: take.id });
  await generation.add({ ...take.request, seed: take.facts?.seed ?? undefined, ...fields });
}

/** @param {Take} take @param {HTMLElement} opener */
async function more(take, opener) {
  const shapes = shapeItems(take, store.state, opener, {
    edit: (edit, settings, words) => void shaping.edit(edit, [take], settings, words),
    remake: (fields) => void remake(take, fields),
    hit: () => hits.add(),
    video: () => chooseFile("video/*", (file) => screen.open(file)),
    join: () => openJoin(store, take, (takes) => void shaping.edit("stitch", takes, {}, "joined")),
  });
  if (take.isLocal) return openPopover(opener, "Reshape", [element("div", { class: "menu" }, ...shapes)]);
  const track = await library.trackOf(take);
  if (!track) return;
  openTrackMenu(opener, track, library, shapes, {
    like: () => openKeeping(take, opener),
    ask,
    repeat: (one) => void generation.add({ ...one.request, seed: one.seed }),
    forget: (one) => void library.forget(one.id),
  });
}

/**
 * @param {Take} take give it to a model as a recording
 * @param {Record<string, unknown>} fields of the request; recording names the one that takes it
 */
async function remake(take, { recording, ...fields }) {
  try {
    const file = await shaping.fileOf(take);
    await generation.add({ ...fields, [String(recording)]: file });
  } catch (error) {
    store.change({ notice: inWords(error) });
  }
}

/**
 * @param {Take} take
 * @param {"audio" | "stems" | "midi" | "score.yaml"} kind
 * @param {string} [format]
 */
async function save(take, kind, format) {
  if (!take.isLocal) return download(store, server, take, kind, format);
  const isOwn = !format || format === "wav";
  const file = isOwn ? shaping.fileOf(take) : shaping.convert("convert", [take], { format });
  await saveFile(store, file, `${fileNameOf(take)}.${format ?? "wav"}`);
}

/** @param {Take} take */
function star(take) {
  if (take.track) void library.mark(take.track, { starred: !take.isStarred });
}

function stopMaking() {
  void generation.cancel(store.state.takes.filter(isBeingMade).map((take) => take.id));
}

/** @param {string} id a take that has become music: find it in the library, by its job, and then its notes */
async function link(id) {
  const take = takeOf(store.state, id);
  const track = take && (await library.trackOf(take));
  if (!track) return;
  store.changeTake(id, { track: track.id, isStarred: track.starred });
  await scores.load(id);
}

followTheme(store);
followSidePanel();
showPrompt(store, make);
showChips(store);
showOptions(store, make);
showSettings(store);
showRecent(store);
showBlank(store);
showTakes(store, sounds, choose);
showStage(store, {
  cancel: (take) => void generation.cancel([take.id]),
  again: (take) => void generation.again(take.id),
  vary: (take) => void vary(take),
  like: openKeeping,
  changed: (take, fields) => void again(take, fields),
  star,
  more: (take, opener) => void more(take, opener),
  download: (take, kind, format) => void save(take, kind, format),
  use: openUse,
});
const edits = new ScoreEdits(server, (take) => generation.show(take));
showScore(store, sounds, live, player, new Lanes(store, stems), new Ruler(edits));
showIntensity(store, layers);
showChange(store, changes);
const hits = new HitPoints(store, player, (take, fields) => void again(take, fields));
const screen = new Screen(store, player);
followDrops({
  video: (file) => screen.open(file),
  sound: (file) => void shaping.open(file),
  refuse: (name) => store.change({ notice: { title: `${name} is neither a sound nor a video`, advice: "Drop another file." } }),
});
showTransport(store, player, choose);
showLibrary(store, library, new Outlines(server), (track) => void open(track));
showModels(store, models, server);
followLive(store, server, () => void library.refresh());
showNotices(store, server);
followKeys(store, player, { choose, cancel: stopMaking });
byId("choose-sound").addEventListener("click", () => chooseFile("audio/*", (file) => void shaping.open(file)));
byId("new-take").addEventListener("click", () => {
  const take = takeOf(store.state);
  const request = take && !take.isLocal ? take.request : requestsOf(store.state.draft)[0];
  void generation.add({ ...request, score_edits: undefined, seed: Math.floor(Math.random() * SEEDS) });
});
readBriefs(store, server);
keep(store);
// After a reload, and when the server is back.
store.watch(
  ({ connection }) => [connection.state],
  ({ connection, takes, heard }) => {
    if (connection.state !== "open") return;
    for (const { id, state } of takes)
      if (state === "ready" && !heard.includes(id)) void sounds.load(id).then(() => link(id));
  },
);
// The browser notices first; a server on this machine answers all the same.
for (const change of ["online", "offline"]) addEventListener(change, () => void server.look());
void server.look();
