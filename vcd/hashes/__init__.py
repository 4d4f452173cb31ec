"""Perceptual hashes: a cheap way to know again what was hardly changed, and the currency in which lists are exchanged.

records   hashes of one thing, and what each kind of them is
compute   frames -> hashes
store     hashes in a library's catalog, of its references and of lists of elsewhere
exchange  lists of the field's formats as text
match     a query's hashes against others: segments
lists     a library's hashes to and from files

A hash sees no more than the whole picture: a crop, a border or a mirror hides a copy from it.
"""
