"""The mathematics of a transparency log: hashes, proofs, tiles, signed checkpoints. Pure, and no log of its own."""
