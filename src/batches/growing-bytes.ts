/**
 * Bytes put together from pieces. Room is doubled when it runs out, so that each byte is copied a bounded number
 * of times however small the pieces are, and a source of tiny chunks costs no object per chunk.
 */
export class GrowingBytes {
  #bytes = Buffer.alloc(0)
  #length = 0

  get length(): number {
    return this.#length
  }

  append(piece: Uint8Array): void {
    const length = this.#length + piece.length
    if (length > this.#bytes.length) {
      // Most lines are whole with their second piece: no more room than that before it shows otherwise.
      const grown = Buffer.allocUnsafeSlow(this.#length === 0 ? length : Math.max(length, this.#length * 2))
      this.#bytes.copy(grown, 0, 0, this.#length)
      this.#bytes = grown
    }
    this.#bytes.set(piece, this.#length)
    this.#length = length
  }

  /** Hands the bytes over and starts anew: nothing is written over what was handed over. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length)
    this.#bytes = Buffer.alloc(0)
    this.#length = 0
    return taken
  }
}
