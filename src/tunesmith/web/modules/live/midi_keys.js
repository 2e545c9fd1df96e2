/** A MIDI keyboard, where the browser has Web MIDI and the user allows it. */

const NOTE_OFF = 0x80;
const NOTE_ON = 0x90;

/** Whether the browser can ask for MIDI keyboards. */
export const hasMidi = "requestMIDIAccess" in navigator;

/**
 * Ask for the MIDI keyboards, and play by all of them; return how many there are.
 *
 * @param {{press: (note: number) => void, release: (note: number) => void}} piano
 */
export async function followMidi(piano) {
  const access = await navigator.requestMIDIAccess();
  const listen = () => {
    for (const input of access.inputs.values()) input.onmidimessage = ({ data }) => data && take(data, piano);
  };
  // One that is plugged in later plays too.
  access.onstatechange = listen;
  listen();
  return access.inputs.size;
}

/**
 * @param {Uint8Array} data
 * @param {{press: (note: number) => void, release: (note: number) => void}} piano
 */
function take([status = 0, note = 0, velocity = 0], piano) {
  const kind = status & 0xf0;
  // Many keyboards send a note on without velocity for its end.
  if (kind === NOTE_ON && velocity) piano.press(note);
  else if (kind === NOTE_ON || kind === NOTE_OFF) piano.release(note);
}
