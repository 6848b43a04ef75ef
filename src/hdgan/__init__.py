"""Labelled histology from a generator: Histopathology DatasetGAN in bounded memory."""
