/** Examples of what to ask for, with the melodies that the composer makes of them. */

/**
 * @typedef {object} Example
 * @property {string} use
 * @property {string} prompt
 * @property {[number, number, number][]} melody start and length in 200ths of the piece, MIDI note number
 */

/** @type {Example[]} */
export const EXAMPLES = [
  {
    use: "For a video",
    prompt: "hopeful corporate background for a product video, piano and strings",
    melody: [
      [0, 12, 76], [13, 12, 81], [25, 12, 83], [37, 9, 88], [47, 3, 83], [50, 12, 81], [63, 12, 85], [75, 18, 81],
      [100, 12, 93], [113, 6, 93], [119, 6, 90], [125, 9, 88], [134, 2, 85], [136, 2, 83], [137, 6, 83], [144, 6, 80],
      [150, 12, 88], [162, 6, 85], [169, 6, 83], [175, 18, 81],
    ],
  },
  {
    use: "For a game",
    prompt: "upbeat 8-bit chiptune for a retro platformer",
    melody: [
      [6, 2, 81], [9, 2, 79], [19, 2, 79], [22, 2, 78], [31, 2, 76], [34, 2, 74], [38, 2, 71], [41, 5, 71], [47, 2, 69],
      [56, 2, 81], [59, 2, 79], [69, 2, 79], [72, 2, 78], [81, 2, 76], [84, 2, 74], [88, 7, 76], [100, 2, 84],
      [103, 8, 83], [116, 2, 81], [119, 5, 83], [125, 4, 81], [130, 4, 79], [134, 2, 78], [141, 2, 79], [144, 5, 81],
      [150, 2, 83], [153, 8, 83], [166, 2, 79], [169, 5, 81], [175, 4, 79], [180, 4, 78], [184, 2, 79], [188, 7, 79],
    ],
  },
  {
    use: "To work or study to",
    prompt: "warm lofi hip hop with a Rhodes and rain, 84 bpm",
    melody: [
      [6, 3, 69], [10, 3, 73], [19, 6, 69], [31, 3, 71], [35, 3, 73], [38, 3, 73], [41, 4, 71], [56, 3, 66],
      [60, 3, 69], [69, 6, 64], [75, 17, 61], [106, 3, 78], [110, 3, 78], [119, 6, 76], [131, 3, 71], [135, 3, 71],
      [138, 3, 69], [141, 8, 69], [156, 3, 73], [160, 3, 73], [169, 6, 71], [175, 1, 71], [176, 17, 69],
    ],
  },
  {
    use: "For a podcast",
    prompt: "podcast intro, confident and warm, acoustic guitar",
    melody: [
      [0, 6, 65], [6, 1, 67], [7, 1, 65], [8, 1, 62], [9, 3, 62], [13, 1, 72], [13, 11, 69], [25, 9, 69], [34, 3, 67],
      [38, 1, 60], [38, 4, 62], [42, 1, 69], [44, 6, 67], [50, 1, 67], [51, 8, 65], [60, 3, 62], [63, 12, 65],
      [75, 18, 62], [100, 9, 77], [110, 3, 77], [113, 12, 74], [125, 9, 72], [134, 3, 69], [138, 5, 69], [142, 1, 69],
      [144, 6, 65], [150, 9, 72], [159, 3, 72], [163, 12, 67], [175, 18, 64],
    ],
  },
];

/**
 * @param {Example} example
 * @returns {import("./types.js").Part}
 */
export function melodyOf({ melody }) {
  const notes = melody.map(([start, length, pitch]) => {
    return { start: start / 200, length: length / 200, pitch, velocity: 100 };
  });
  return { name: "melody", isDrums: false, notes };
}
