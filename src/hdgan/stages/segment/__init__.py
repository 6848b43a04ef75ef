"""`hdgan segment`: a segmenter and tiles or slides to label maps."""
