"""`hdgan train-segmenter`: labelled images to a network that tells classes apart."""
