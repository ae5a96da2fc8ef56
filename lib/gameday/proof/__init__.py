"""
The proof: each scenario in a live world, by the commands that a responder types.

`trial` is one scenario with one seed: is it found, does the cure heal, is the evidence gone, does undo restore.
`refutation` tries what must not heal. `table` is what both add up to, as a page. Every result is kept as soon as it is
there, so that a long proof goes on where it was cut off.
"""
