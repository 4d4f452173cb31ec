"""What each part of the descriptor is worth, measured on development pictures.

corpus    the pictures, and their edited copies      cut       the shipped network, cut open
pooled    what can be measured without training      trained   short trainings from scratch
learnt    accuracy of a training's stages            curve     its log as a picture
scoring   vectors -> a row                           throughput  edits against training, views a second
sheet     results -> tables
"""
