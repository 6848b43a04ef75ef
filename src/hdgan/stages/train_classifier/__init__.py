"""Annotated images to an ensemble of pixel classifiers."""
