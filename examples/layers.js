// Layered music for a web game: the files of `tunesmith "…" --loop --layers 0.3,0.6,1 -o level.wav`, in Web Audio.
// const music = await LayeredMusic.load(new AudioContext(), "level-layers.json"); music.start(); music.intensity(0.5);

export class LayeredMusic {
  static async load(context, url) {
    const base = new URL(url, globalThis.location?.href);
    const manifest = await (await fetch(base)).json();
    const load = async ({ file }) => context.decodeAudioData(await (await fetch(new URL(file, base))).arrayBuffer());
    return new LayeredMusic(context, manifest, await Promise.all(manifest.layers.map(load)));
  }

  constructor(context, manifest, buffers) {
    Object.assign(this, { context, manifest, buffers, gains: [] });
  }

  start(intensity = 0) {
    const at = this.context.currentTime + 0.1; // one time for all, so that they start on the same sample
    for (const buffer of this.buffers) {
      const gain = new GainNode(this.context, { gain: 0 });
      const { loop, sample_rate: rate } = this.manifest;
      const points = loop ? { loop: true, loopStart: loop.start / rate, loopEnd: loop.end / rate } : {};
      const source = new AudioBufferSourceNode(this.context, { buffer, ...points });
      source.connect(gain).connect(this.context.destination);
      source.start(at);
      this.gains.push(gain);
    }
    this.intensity(intensity, 0);
  }

  // The layers play the same notes, so that their gains add up to 1. A longer fade may last until the next bar.
  intensity(wanted, seconds = 0.5) {
    const levels = this.manifest.layers.map((layer) => layer.intensity);
    const x = Math.min(Math.max(wanted, levels[0]), levels.at(-1));
    const above = Math.max(1, levels.findIndex((level) => level >= x));
    const share = (x - levels[above - 1]) / (levels[above] - levels[above - 1] || 1);
    const target = (i) => (i === above - 1 ? 1 - share : i === above ? share : 0);
    this.gains.forEach(({ gain }, i) => gain.setTargetAtTime(target(i), this.context.currentTime, seconds / 3 || 0.001));
  }
}
