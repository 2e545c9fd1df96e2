/** Reads that may overtake each other: of those of one kind, only the one begun last counts. */

export class Newest {
  #begun = 0;

  /**
   * Begin a read.
   *
   * @returns {() => boolean} whether none has begun since
   */
  begin() {
    this.#begun += 1;
    const mine = this.#begun;
    return () => mine === this.#begun;
  }
}
