/** Clip: finished music. */

/** The content of a sound file, and the job that produced it. */
export class Clip {
  /**
   * @param {Uint8Array} content
   * @param {import("./types.js").Job} job
   * @param {import("./types.js").Result} result
   * @param {import("./types.js").Understood} [change]
   */
  constructor(content, job, result, change) {
    this.content = content;
    this.job = job;
    this.format = result.format;
    this.mediaType = result.media_type;
    /** Length in seconds. */
    this.duration = result.duration;
    /** What was understood of a change, for music again. */
    this.change = change;
  }

  /** The seed that gives the same music again. */
  get seed() {
    // The metadata hold the seed that was drawn if the request has none.
    const seed = this.job.metadata["seed"] ?? this.job.request["seed"];
    return typeof seed === "number" ? seed : undefined;
  }

  /** The model that generated it: the composer if it was the fallback for the requested model. */
  get generatedBy() {
    return this.job.generated_by;
  }

  /** The parts of the request that were ignored, not understood or changed. */
  get warnings() {
    const warnings = this.job.metadata["warnings"];
    return Array.isArray(warnings) ? warnings.map(String) : [];
  }

  /** Return the file as a Blob, for an audio element or a form. */
  blob() {
    return new Blob([/** @type {BlobPart} */ (this.content)], { type: this.mediaType });
  }
}
