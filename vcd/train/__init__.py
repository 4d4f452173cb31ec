"""Making a descriptor: pictures -> a model that `vcd.describe` runs. Needs the extra ``torch``; no stage imports it.

pictures  decoded once, kept in one file        generate  pictures that belong to nobody
augment   a picture -> an easy and a hard view  (layout, overlay, degrade: the edits)
batches   views, made ahead by other processes
network   the network; pooling: maps -> one vector
loss      InfoNCE with a queue, KoLeo
loop      the training, with checkpoints; curves: its log as a picture
fit       whitening and background              export    ONNX and card
run       calls these in order
"""
