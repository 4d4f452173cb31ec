"""Local features of a picture: what bags of words count, and what geometry compares.

`features` finds them with SIFT or ORB, `learned` in the feature map of a network, `text` says which lie on letters.
No stage: several use it.
"""
