/** Clip: finished music. */

/** The content of a sound file, and the job that made it. */
export class Clip {
  /**
   * @param {Uint8Array} content
   * @param {import("./types.js").Job} job
   * @param {import("./types.js").Result} result
   */
  constructor(content, job, result) {
    this.content = content;
    this.job = job;
    this.format = result.format;
    this.mediaType = result.media_type;
    /** Length in seconds. */
    this.duration = result.duration;
  }

  /** The seed, with which the same is made again. */
  get seed() {
    const seed = this.job.metadata["seed"] ?? this.job.request["seed"];
    return typeof seed === "number" ? seed : undefined;
  }

  /** The model that made it; another than was asked for where the composer stood in. */
  get generatedBy() {
    return this.job.generated_by;
  }

  /** What of the request was not used, not understood or changed. */
  get warnings() {
    const warnings = this.job.metadata["warnings"];
    return Array.isArray(warnings) ? warnings.map(String) : [];
  }

  /** Return it as a Blob, for an audio element or a form. */
  blob() {
    return new Blob([/** @type {BlobPart} */ (this.content)], { type: this.mediaType });
  }
}
