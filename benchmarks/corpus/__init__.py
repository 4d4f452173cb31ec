"""A folder of clips -> long references, queries cut from them and edited, and the truth about where they come from.

Read in this order: `clips` (the material and its split), `pool` (what each clip is used for), `programmes` (cut lists
of references), `queries` (what each query is put together from), `plan` (all of it, from a seed), `truth` (its rows),
`build` (the plan -> files).
"""
